"""The pages of acts: what happens, what is asked, and where there is nothing to choose, what to do first."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.identity.models import User
from operations.console.site import console
from tenants.refusals import Refusal


def act_page(request: HttpRequest, form: forms.BaseForm, **shown: Any) -> HttpResponse:
    """Show the form of an act; 422 where it was sent and is not taken."""
    context = {**console.each_context(request), "form": form, **shown}
    return render(request, "operations/act.html", context, status=422 if form.is_bound else 200)


def act_on(
    request: HttpRequest,
    work: Model,
    form: forms.Form,
    do: Callable[[User, Mapping[str, Any]], None],
    *,
    done: str,
    wrong: str | None,
    **shown: Any,
) -> HttpResponse:
    """Show the form of an act on a row of this room, and do it when it is sent.

    `do` is given the operator and what the form told; a refusal of its stands at the field `wrong`, and above
    all where that is None. `done` is said afterwards.
    """
    page = f"admin:operations_{work._meta.model_name}_change"
    if request.method == "POST" and form.is_valid():
        try:
            do(operator_of(request), form.cleaned_data)
        except Refusal as refusal:
            form.add_error(wrong, str(refusal))
        else:
            messages.success(request, done)
            return redirect(page, work.pk)
    back = reverse(page, args=[work.pk])
    return act_page(request, form, opts=work._meta, back=back, back_to=str(work), **shown)


def nothing_to_choose(request: HttpRequest, *, said: str, url: str, label: str, **shown: Any) -> HttpResponse:
    """Show instead of a form why there is none, and a link to what has to be done first."""
    context = {**console.each_context(request), "said": said, "first_url": url, "first": label, **shown}
    return render(request, "operations/nothing_to_choose.html", context)


def operator_of(request: HttpRequest) -> User:
    """Return who is signed in to the console."""
    return cast(User, request.user)
