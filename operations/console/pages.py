"""The pages of acts: what happens, what is asked, and where there is nothing to choose, what to do first."""

from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.identity.models import User
from operations.console.site import console


def act_page(request: HttpRequest, form: forms.BaseForm, **shown: Any) -> HttpResponse:
    """Show the form of an act; 422 where it was sent and is not taken."""
    context = {**console.each_context(request), "form": form, **shown}
    return render(request, "operations/act.html", context, status=422 if form.is_bound else 200)


def nothing_to_choose(request: HttpRequest, *, said: str, url: str, label: str, **shown: Any) -> HttpResponse:
    """Show instead of a form why there is none, and a link to what has to be done first."""
    context = {**console.each_context(request), "said": said, "first_url": url, "first": label, **shown}
    return render(request, "operations/nothing_to_choose.html", context)


def operator_of(request: HttpRequest) -> User:
    """Return who is signed in to the console."""
    return cast(User, request.user)
