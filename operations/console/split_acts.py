"""The acts on splits in the console: each says what happens, and asks why."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from operations.actions import joining, splitting
from operations.console.joining import found_in
from operations.console.pages import act_on
from operations.forms import ApproveForm, ReasonForm, UndoForm
from operations.models import Split
from operations.models.joining import UNDONE_WITHIN


def parting(source: str, name: str) -> tuple[str, ...]:
    """Return what becomes of an organisation that is split, to be read before somebody approves it."""
    return (
        f"What goes is out of sight in {source} from the approval on, and deleted there when this is closed.",
        f"{name} is made on the same server. Its first owner is sent a link to choose a password.",
        f"Who goes cannot sign in to {source} any more, and signs in to {name} with the same password.",
        "Who is in both has a password in each from then on.",
        f"The history of what goes comes along; the trail of {source} keeps all of it.",
        f"It can be undone for {UNDONE_WITHIN.days} days, unless somebody closes it before.",
    )


def _undoing(source: str, name: str) -> tuple[str, ...]:
    return (
        f"{name} is closed, with everything that was done in it. Nobody gets into it any more.",
        f"What went is in {source} again, as it was when the split began.",
        f"Who went can sign in to {source} again, in the role that they had.",
        "It begins within some seconds, and needs no second operator. It cannot be undone itself.",
    )


def _closing(source: str, name: str) -> tuple[str, ...]:
    return (
        f"What went is deleted in {source} for good.",
        "From then on it cannot be undone.",
        f"Nothing changes for the people of {name}.",
    )


def approve_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let what another operator asked for begin; the address of the organisation is typed."""
    split = _split(pk)
    said = (
        f"{split.asked_by} asked for it: {split.reason}",
        *(found_in(split) or ["Nothing has two claims."]),
        *parting(split.source.name, split.name),
    )
    return act_on(
        request,
        split,
        ApproveForm(request.POST or None, slug=str(split.source.slug)),
        lambda by, told: splitting.approve(split, by=by, typed=told["typed"]),
        done="It begins within some seconds.",
        wrong="typed",
        title=f"Split {split.name} off from {split.source}",
        consequences=said,
        button="Approve it",
    )


def cancel_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back a split that nobody has approved."""
    split = _split(pk)
    return act_on(
        request,
        split,
        ReasonForm(request.POST or None),
        lambda by, told: joining.cancel(split, by=by, reason=told["reason"]),
        done=f"{split.source} stays as it is.",
        wrong=None,
        title=f"Leave {split.source} as it is",
        button="Take it back",
    )


def undo_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put together again what was split; the address of the organisation is typed."""
    split = _split(pk)
    return act_on(
        request,
        split,
        UndoForm(request.POST or None, slug=str(split.source.slug)),
        lambda by, told: joining.undo(split, by=by, reason=told["reason"]),
        done="It begins within some seconds.",
        wrong="typed",
        title=f"Put {split.name} back into {split.source}",
        consequences=_undoing(split.source.name, split.name),
        button="Undo it",
    )


def close_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let a split be for good before its time."""
    split = _split(pk)
    return act_on(
        request,
        split,
        ReasonForm(request.POST or None),
        lambda by, told: joining.close(split, by=by, reason=told["reason"]),
        done="It is closed within some seconds.",
        wrong=None,
        title=f"Let {split.name} be an organisation of its own for good",
        consequences=_closing(split.source.name, split.name),
        button="Close it",
    )


def _split(pk: UUID) -> Split:
    return get_object_or_404(Split.objects.select_related("source", "made"), pk=pk)
