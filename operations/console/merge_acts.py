"""The acts on merges in the console: each says what happens, and asks why."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from accounts.identity.models import User
from operations.actions import merging
from operations.console.pages import act_page
from operations.forms import ApproveForm, MergeForm, ReasonForm, UndoMergeForm
from operations.joining.telling import grouped
from operations.models import Merge
from operations.models.merge import UNDONE_WITHIN
from tenants.models import Organisation
from tenants.refusals import Refusal


def becoming_one(absorbed: str, into: str) -> tuple[str, ...]:
    """Return what becomes of two organisations, to be read before somebody approves it."""
    return (
        f"From the approval on nobody gets into {absorbed}: its address says that it becomes a part of "
        f"{into}, and leads there. {into} works on meanwhile.",
        f"Collections, records, files, groups and people of {absorbed} come into {into}.",
        "People with the same address in both become one person, with the password, the second steps and the "
        f"role that they have in {into}.",
        "Everybody else keeps their password and their role; owners become administrators.",
        f"What the people of {absorbed} may see in {into} follows from that role, and the people of {into} "
        "may see what came according to theirs. Nobody is asked again: people will read what was closed to "
        "them before.",
        f"The trail of {absorbed} is attached to that of {into} as it is, to be read and never changed.",
        f"It can be undone for {UNDONE_WITHIN.days} days, unless somebody closes it before.",
    )


def _looking(absorbed: str) -> tuple[str, ...]:
    return (
        "First all clashes are looked for, in a copy. Nobody notices anything, and the copy is dropped.",
        f"Then another operator, who has seen them, approves it with the address of {absorbed}. Until then "
        "it can be taken back.",
    )


def _undoing(absorbed: str, into: str) -> tuple[str, ...]:
    return (
        f"The rows that came go from {into}, as they came.",
        f"What people have changed since, or have added something to, stays in {into}. People whose work "
        "stays there are deactivated there.",
        f"{absorbed} opens again as it was when the merge began. What was done since is not in it.",
        f"Whoever came from {absorbed} is signed out of {into}, and signs in at the old address.",
        "It begins within some seconds, and needs no second operator. It cannot be undone itself.",
    )


def _closing(absorbed: str, into: str) -> tuple[str, ...]:
    return (
        "From then on it cannot be undone.",
        f"Nothing changes for the people of {into}.",
        f"What {absorbed} had itself stays closed, until it is erased as that of anybody who is gone.",
    )


def ask_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask of which organisation this one becomes a part, and why; then clashes are looked for."""
    organisation = get_object_or_404(Organisation, pk=pk)
    form = MergeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            asked = merging.ask(organisation, told["into"], reason=told["reason"], by=_operator(request))
        except Refusal as refusal:
            form.add_error("into", str(refusal))
        else:
            messages.success(request, "It is looked for clashes now. Nobody notices anything.")
            return redirect("admin:operations_merge_change", asked.pk)
    said = (*_looking(organisation.name), *becoming_one(organisation.name, "the other one"))
    shown = {"title": f"Make {organisation.name} a part of another organisation", "consequences": said}
    return act_page(
        request, form, opts=Merge._meta, organisation=organisation, **shown, button="Look for clashes"
    )


def approve_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let what another operator asked for begin; the address of the absorbed one is typed."""
    merge = _merge(pk)
    absorbed, into = merge.absorbed, merge.into
    form = ApproveForm(request.POST or None, slug=str(absorbed.slug))
    if request.method == "POST" and form.is_valid():
        try:
            merging.approve(merge, by=_operator(request), typed=form.cleaned_data["typed"])
        except Refusal as refusal:
            form.add_error("typed", str(refusal))
        else:
            messages.success(request, f"It begins within some seconds. Nobody gets into {absorbed} any more.")
            return redirect("admin:operations_merge_change", merge.pk)
    said = (
        f"{merge.asked_by} asked for it: {merge.reason}",
        *_clashing(merge),
        *becoming_one(absorbed.name, into.name),
    )
    shown = {"title": f"Make {absorbed} a part of {into}", "consequences": said, "button": "Approve it"}
    return _page(request, form, merge, **shown)


def cancel_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back a merge that nobody has approved."""
    merge = _merge(pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            merging.cancel(merge, by=_operator(request), reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{merge.absorbed} stays on its own.")
        return redirect("admin:operations_merge_change", merge.pk)
    title = f"Leave {merge.absorbed} on its own"
    return _page(request, form, merge, title=title, button="Take it back")


def undo_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take two apart again that were merged; the address of the absorbed one is typed."""
    merge = _merge(pk)
    form = UndoMergeForm(request.POST or None, slug=str(merge.absorbed.slug))
    if request.method == "POST" and form.is_valid():
        try:
            merging.undo(merge, by=_operator(request), reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            form.add_error("typed", str(refusal))
        else:
            messages.success(request, "It begins within some seconds.")
            return redirect("admin:operations_merge_change", merge.pk)
    said = _undoing(merge.absorbed.name, merge.into.name)
    shown = {"title": f"Take {merge.absorbed} out of {merge.into} again", "consequences": said}
    return _page(request, form, merge, **shown, button="Undo it")


def close_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let a merge be for good before its time."""
    merge = _merge(pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            merging.close(merge, by=_operator(request), reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "It is closed within some seconds.")
            return redirect("admin:operations_merge_change", merge.pk)
    said = _closing(merge.absorbed.name, merge.into.name)
    shown = {"title": f"Let {merge.absorbed} be a part of {merge.into} for good", "consequences": said}
    return _page(request, form, merge, **shown, button="Close it")


def _clashing(merge: Merge) -> list[str]:
    """Return how much of what there is under each heading."""
    counted = [f"{kind.heading}: {', '.join(lines)}" for kind, lines in grouped(merge.result)]
    return counted or ["Nothing clashes: everything comes as it is."]


def _merge(pk: UUID) -> Merge:
    return get_object_or_404(Merge.objects.select_related("absorbed", "into"), pk=pk)


def _page(request: HttpRequest, form: forms.BaseForm, merge: Merge, **shown: Any) -> HttpResponse:
    back = reverse("admin:operations_merge_change", args=[merge.pk])
    return act_page(request, form, opts=Merge._meta, back=back, back_to=str(merge), **shown)


def _operator(request: HttpRequest) -> User:
    return cast(User, request.user)
