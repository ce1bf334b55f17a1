"""How this room's views answer forms: one page, or the same in a dialog; refusals stand in the form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render

from accounts.identity.models import User
from permissions.access import note_refusal
from tenants.refusals import Refusal


@dataclass(frozen=True, slots=True)
class FormPage:
    """A question: its title, what its button does, what will happen, and where it leads."""

    title: str
    label: str
    back: str
    crumbs: Sequence[tuple[str, str]] = ()
    text: str = ""
    consequences: Sequence[str] = field(default_factory=tuple)
    tone: str = "primary"


def person_of(request: HttpRequest) -> User:
    """Return who is signed in, behind a door that lets only these through."""
    person = request.user
    assert isinstance(person, User)
    return person


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, for a form; None if it is only to be shown. An empty POST is sent too."""
    return request.POST if request.method == "POST" else None


def answer_form(
    request: HttpRequest, form: forms.Form, page: FormPage, do: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """Show a form; sent and valid, do it, say the sentence that `do` returns, and go back.

    A refusal is shown in the form, with what was typed, and nothing has happened.
    """
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                said = do(form.cleaned_data)
        except Refusal as refusal:
            note_refusal(request, refusal)
            form.add_error(None, str(refusal))
        else:
            messages.success(request, said)
            return HttpResponseRedirect(page.back)
    in_dialog = bool(getattr(request, "htmx", False)) and request.headers.get("HX-Target") == "dialog"
    return render(
        request,
        "permissions/_form.html" if in_dialog else "permissions/form.html",
        {
            "form": form,
            "question": page,
            "crumbs": [{"label": label, "url": url} for label, url in page.crumbs],
            "action": request.get_full_path(),
            "in_dialog": in_dialog,
        },
        status=422 if request.method == "POST" else 200,
    )
