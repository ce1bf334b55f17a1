"""Moves in the console: beginning one with a reason, and following its steps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.identity.models import User
from operations.actions import moves
from operations.console.pages import act_page, nothing_to_choose
from operations.console.site import console
from operations.forms import MoveForm, ReasonForm
from operations.models import Move, MoveStep
from operations.models.move import CAN_BE_CANCELLED, UNDER_WAY, WAY
from operations.moves.problems import CannotMove
from tenants.models import Organisation, Shard
from tenants.placement import Stop

Wrap = Callable[[Any], Any]
CONSEQUENCES = (
    "Its tables are copied to the other shard while its people go on working.",
    "For less than a second what they save waits; nobody sees an error.",
    "Every row is compared before it lives there; if one differs, everything is put back.",
    f"The old copy is kept, closed, for {settings.MOVE_KEPT_DAYS} days.",
)

TAKING_BACK = (
    "The copy is dropped, and the organisation stays where it is.",
    "Its people notice nothing, and nothing that they saved is lost.",
    "It can be moved again at any time, from the beginning.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One step as it is shown."""

    label: str
    tone: str  # done, now, open or failed
    at: datetime | None
    note: str = ""


def urls(wrap: Wrap) -> list[URLPattern]:
    """Return the addresses, below the list of organisations."""
    return [
        path("<uuid:pk>/move/", wrap(begin), name="organisation-move"),
        path("moves/<uuid:pk>/", wrap(follow), name="move"),
        path("moves/<uuid:pk>/cancel/", wrap(cancel), name="move-cancel"),
    ]


def links_of(organisation: Organisation) -> SafeString:
    """Return links to an organisation's moves, and to begin one where none is under way."""
    found = list(organisation.moves.all()[:5])
    lines = format_html_join(
        "",
        '<li><a href="{}">{} to {}</a>: {}</li>',
        (
            (
                reverse("admin:move", args=[move.pk]),
                move.source_id,
                move.target_id,
                MoveStep(move.step).label,
            )
            for move in found
        ),
    )
    begin_it = SafeString("")
    may_begin = not organisation.placement().stops(Stop.ENTRY) and len(settings.SHARD_ALIASES) > 1
    if may_begin and not any(move.step in UNDER_WAY for move in found):
        begin_it = format_html(
            '<a href="{}">Move it to another shard</a>',
            reverse("admin:organisation-move", args=[organisation.pk]),
        )
    return format_html("{}<ul>{}</ul>", begin_it, lines) if found else begin_it or SafeString("None")


def begin(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask where to and why; then show the steps."""
    organisation = get_object_or_404(Organisation, pk=pk)
    others = [alias for alias in settings.SHARD_ALIASES if alias != organisation.shard_id]
    title = f"Move {organisation.name} to another shard"
    shown = {"opts": Organisation._meta, "organisation": organisation, "title": title}
    if not others:
        said = f"There is no other shard: {organisation.shard_id} is the only one of this installation."
        url, label = reverse("admin:tenants_shard_changelist"), "See the shards"
        return nothing_to_choose(request, said=said, url=url, label=label, **shown)
    form = MoveForm(request.POST or None, shards=others)
    if request.method == "POST" and form.is_valid():
        try:
            move = moves.ask(
                organisation=organisation,
                target=Shard.objects.get(pk=form.cleaned_data["target"]),
                reason=form.cleaned_data["reason"],
                by=cast(User, request.user).email,
                at=timezone.now(),
            )
        except (CannotMove, Shard.DoesNotExist) as refusal:
            form.add_error("target", str(refusal))
        else:
            return redirect("admin:move", move.pk)
    return act_page(request, form, **shown, button="Move it", consequences=CONSEQUENCES)


def follow(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the steps of a move as they go."""
    move = get_object_or_404(Move.objects.select_related("organisation"), pk=pk)
    shown = {"move": move, "lines": lines_of(move), "is_under_way": move.step in UNDER_WAY}
    shown["can_cancel"] = move.step in CAN_BE_CANCELLED and move.cancel_asked_at is None
    if request.headers.get("HX-Request"):
        return render(request, "operations/_move.html", shown)
    title = f"{move.organisation.name}: {move.source_id} to {move.target_id}"
    shown |= {"opts": Organisation._meta, "organisation": move.organisation, "title": title}
    return render(request, "operations/move.html", {**console.each_context(request), **shown})


def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a move back, after saying what that does, with the reason."""
    move = get_object_or_404(Move.objects.select_related("organisation"), pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, reason = cast(User, request.user).email, form.cleaned_data["reason"]
        try:
            moves.cancel(move, by=by, at=timezone.now(), reason=reason)
        except CannotMove as refusal:
            messages.error(request, str(refusal))
        return redirect("admin:move", move.pk)
    title = f"Take the move of {move.organisation.name} back"
    shown = {"title": title, "button": "Take it back", "consequences": TAKING_BACK}
    back = reverse("admin:move", args=[move.pk])
    back_to = f"{move.source_id} to {move.target_id}"
    return act_page(request, form, opts=Organisation._meta, **shown, back=back, back_to=back_to)


def lines_of(move: Move) -> list[Line]:
    """Return the steps of a move: those done with their moments, the one being done, those to come."""
    at = {step: datetime.fromisoformat(moment) for step, moment in move.history}
    lines = [Line(MoveStep.ASKED.label, "done", move.asked_at)]
    is_back = move.step in (MoveStep.REVERTING, MoveStep.REVERTED)
    for step in WAY[1:]:
        if step in at:
            lines.append(Line(step.label, "done", at[step]))
        elif not is_back and step is not MoveStep.DONE:
            is_now = lines[-1].tone == "done" and move.step in UNDER_WAY
            lines.append(Line(step.label, "now" if is_now else "open", None, move.note if is_now else ""))
    if is_back:
        lines.append(Line(MoveStep(move.step).label, "failed", at.get(move.step), move.error))
    return lines
