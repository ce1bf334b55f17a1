"""The page on which an organisation answers a question."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actions.answering import answer, answer_to
from accounts.adapters import say
from accounts.identity.models import User
from accounts.questions import Question, find
from permissions import perms
from permissions.access import requires


class AnswerForm(forms.Form):
    """One field, which the question brings."""

    def __init__(self, data: Any, *, question: Question, given: str | None) -> None:
        super().__init__(data, initial={} if given is None else {"answer": given})
        self.fields["answer"] = question.field()


@require_http_methods(["GET", "POST"])
@requires(perms.SETTINGS_CHANGE)
def question(request: HttpRequest, key: str) -> HttpResponse:
    """Show a question and keep its answer, which may be changed as long as it is asked."""
    asked = find(key)
    if asked is None:
        raise Http404
    given = answer_to(key)
    form = AnswerForm(request.POST or None, question=asked, given=given)
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        answer(question=asked, value=str(form.cleaned_data["answer"]), by=request.user, at=timezone.now())
        say(request, _("The answer is kept."))
        return redirect("accounts:settings")
    is_late = timezone.now() >= asked.deadline
    context = {"form": form, "asked": asked, "given": given, "is_late": is_late}
    return render(request, "accounts/question.html", context, status=422 if form.errors else 200)
