"""The acts on merges in the console: each says what happens, and asks why."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from operations.actions import joining, merging
from operations.console.joining import found_in
from operations.console.pages import act_on, act_page, operator_of
from operations.forms import ApproveForm, MergeForm, ReasonForm, UndoForm
from operations.models import Merge
from operations.models.joining import UNDONE_WITHIN
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
            asked = merging.ask(organisation, told["into"], reason=told["reason"], by=operator_of(request))
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
    said = (
        f"{merge.asked_by} asked for it: {merge.reason}",
        *(found_in(merge) or ["Nothing clashes: everything comes as it is."]),
        *becoming_one(absorbed.name, into.name),
    )
    return act_on(
        request,
        merge,
        ApproveForm(request.POST or None, slug=str(absorbed.slug)),
        lambda by, told: merging.approve(merge, by=by, typed=told["typed"]),
        done=f"It begins within some seconds. Nobody gets into {absorbed} any more.",
        wrong="typed",
        title=f"Make {absorbed} a part of {into}",
        consequences=said,
        button="Approve it",
    )


def cancel_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back a merge that nobody has approved."""
    merge = _merge(pk)
    return act_on(
        request,
        merge,
        ReasonForm(request.POST or None),
        lambda by, told: joining.cancel(merge, by=by, reason=told["reason"]),
        done=f"{merge.absorbed} stays on its own.",
        wrong=None,
        title=f"Leave {merge.absorbed} on its own",
        button="Take it back",
    )


def undo_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take two apart again that were merged; the address of the absorbed one is typed."""
    merge = _merge(pk)
    return act_on(
        request,
        merge,
        UndoForm(request.POST or None, slug=str(merge.absorbed.slug)),
        lambda by, told: joining.undo(merge, by=by, reason=told["reason"]),
        done="It begins within some seconds.",
        wrong="typed",
        title=f"Take {merge.absorbed} out of {merge.into} again",
        consequences=_undoing(merge.absorbed.name, merge.into.name),
        button="Undo it",
    )


def close_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let a merge be for good before its time."""
    merge = _merge(pk)
    return act_on(
        request,
        merge,
        ReasonForm(request.POST or None),
        lambda by, told: joining.close(merge, by=by, reason=told["reason"]),
        done="It is closed within some seconds.",
        wrong=None,
        title=f"Let {merge.absorbed} be a part of {merge.into} for good",
        consequences=_closing(merge.absorbed.name, merge.into.name),
        button="Close it",
    )


def _merge(pk: UUID) -> Merge:
    return get_object_or_404(Merge.objects.select_related("absorbed", "into"), pk=pk)
