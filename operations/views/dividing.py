"""Dividing an organisation, on its own site: choose, see what it means, ask the operators for it.

What is found is named here, where its people may know it; operators are told numbers.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.adapters import say
from accounts.identity.models import User
from audit.actions.events import record
from jobs.actions import enqueue
from jobs.models import Job, JobState
from jobs.views.showing import shown
from operations.actions import joining, splitting
from operations.actions.provisioning import host_of
from operations.jobs import DIVISION
from operations.joining.clashes import Kind
from operations.joining.picking import Picks
from operations.joining.problems import CannotJoin
from operations.joining.telling import ORDER
from operations.models import JoiningStep, Split
from operations.models.joining import ENDED, UNDONE_WITHIN, WAITING
from operations.views.dividing_form import MOST_PEOPLE, DivideForm, chosen_before, named
from permissions import perms
from permissions.access import requires
from tenants.addresses import site_url
from tenants.context import current_tenant, required
from tenants.models import Organisation
from tenants.refusals import Refusal

# Each copies the whole organisation.
MOST_LOOKS_A_DAY = 10
_SHOWN = 10
_TONES = {
    JoiningStep.FOUND: "warn",
    JoiningStep.DONE: "ok",
    JoiningStep.CLOSED: "ok",
    JoiningStep.FAILED: "bad",
    JoiningStep.UNDONE: "quiet",
    JoiningStep.CANCELLED: "quiet",
}


@require_safe
@requires(perms.DIVIDE)
def divisions(request: HttpRequest) -> HttpResponse:
    """Show how far what was asked for is, what was asked for before, and what was looked at."""
    splits = list(Split.objects.filter(source=current_tenant().id).select_related("made")[:_SHOWN])
    current = splits[0] if splits and splits[0].step not in ENDED else None
    looks = Job.objects.filter(kind=DIVISION).order_by("-id")[:_SHOWN]
    context = {
        "splits": [_shown(split) for split in splits],
        "current": _shown(current) if current is not None else None,
        "looks": [_look_shown(job) for job in looks],
        "new_url": reverse("divide:new") if current is None and not required().stands_still else "",
        "days": UNDONE_WITHIN.days,
        "is_polling": current is not None and current.step not in (JoiningStep.FOUND, JoiningStep.DONE),
    }
    return render(request, "operations/division_list.html", context)


def _shown(split: Split) -> dict[str, Any]:
    step = JoiningStep(split.step)
    return {
        "name": split.name,
        "host": host_of(split.slug),
        "url": site_url(host_of(split.slug)) if step in (JoiningStep.DONE, JoiningStep.CLOSED) else "",
        "state": split.get_step_display(),
        "tone": _TONES.get(step, "info"),
        "asked_by": split.asked_by,
        "asked_at": split.asked_at,
        "undo_until": split.undo_until if step == JoiningStep.DONE else None,
        "said": _said(step),
        "progress": split.progress if step not in ENDED else "",
        "cancel_url": reverse("divide:cancel", args=[split.pk]) if step in WAITING else "",
    }


def _said(step: JoiningStep) -> str:
    return {
        JoiningStep.ASKED: _("It is looked at once more, for the operators."),
        JoiningStep.FOUND: _(
            "It waits for an operator. Nothing has changed, and you can take it back until then."
        ),
        JoiningStep.APPROVED: _("It has begun. What goes is out of sight here."),
        JoiningStep.STAGED: _("It is under way. What goes is out of sight here."),
        JoiningStep.UNDOING: _("It is being undone."),
    }.get(step, "")


def _look_shown(job: Job) -> dict[str, Any]:
    about = shown(job, at=timezone.now(), may_change=False)
    return {
        "name": job.payload.get("name", ""),
        "url": reverse("divide:look", args=[job.pk]),
        "state": about["state_label"],
        "tone": about["tone"],
        "by": job.created_by_label,
        "at": job.created_at,
    }


@require_http_methods(["GET", "POST"])
@requires(perms.DIVIDE)
def choose(request: HttpRequest) -> HttpResponse:
    """Choose what goes and who; then it is looked at. `again` names an earlier choice to begin with."""
    people, fields = _again(request.GET.get("again", ""))
    form = DivideForm(request.POST if request.method == "POST" else None, chosen=people, initial=fields)
    if request.method == "POST" and form.is_valid():
        job = _looked_at(request, form)
        if job is not None:
            return redirect("divide:look", job.pk)
    context = {
        "form": form,
        "too_many": len(form.people) > MOST_PEOPLE,
        "crumbs": [{"label": _("Divide"), "url": reverse("divide:list")}],
    }
    return render(request, "operations/division_new.html", context, status=422 if form.errors else 200)


def _again(key: str) -> tuple[dict[str, str], dict[str, Any]]:
    try:
        job = Job.objects.filter(kind=DIVISION, pk=UUID(key)).first()
    except ValueError:
        job = None
    return chosen_before(job.payload) if job is not None else ({}, {})


def _looked_at(request: HttpRequest, form: DivideForm) -> Job | None:
    """Have what was chosen looked at; None where it cannot be, which the form says then."""
    assert isinstance(request.user, User)
    at, told = timezone.now(), form.cleaned_data
    organisation = Organisation.objects.get(pk=current_tenant().id)
    moment = form.moment(at=at, begun=organisation.created_at)
    try:
        splitting.plan(organisation, slug=told["slug"], effective_at=moment)
        _refuse_too_many(at=at)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    payload = {
        **{key: told[key] for key in ("name", "slug", "reason")},
        "picks": form.picks.as_json(),
        "effective_at": moment.isoformat(),
        "dated": told["as_of"] is not None,
    }
    # Others may see that a job runs, and not what somebody is thinking about.
    label = _("Check of the whole organisation")
    return enqueue(DIVISION, payload=payload, label=label, by=request.user)


def _refuse_too_many(*, at: datetime) -> None:
    looks = Job.objects.filter(kind=DIVISION, created_at__gt=at - timedelta(days=1))
    if looks.count() >= MOST_LOOKS_A_DAY:
        raise CannotJoin(
            _("%(most)s choices were looked at within a day, and each copies everything. Come back tomorrow.")
            % {"most": MOST_LOOKS_A_DAY}
        )


@require_safe
@requires(perms.DIVIDE)
def look(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show what was chosen, and what it means as soon as that is known."""
    job = get_object_or_404(Job, pk=pk, kind=DIVISION)
    if request.headers.get("HX-Request") and job.has_ended:
        # It looked again by itself, and there is nothing more to wait for: the whole page is another one.
        return HttpResponseClientRefresh()
    return _look_page(request, job)


def _look_page(request: HttpRequest, job: Job, *, refused: str = "") -> HttpResponse:
    found = job.result.get("found", [])
    is_free = (
        not required().stands_still and not Split.objects.open().filter(source=current_tenant().id).exists()
    )
    is_known = job.state == JobState.SUCCEEDED
    stops = any(kind == Kind.STOPS for kind, *_rest in found)
    again = f"{reverse('divide:new')}?again={job.pk}"
    context = {
        "job": shown(job, at=timezone.now(), may_change=False),
        "name": job.payload["name"],
        "host": host_of(job.payload["slug"]),
        "as_of": datetime.fromisoformat(job.payload["effective_at"]),
        "reason": job.payload["reason"],
        "picked": named(Picks.read(job.payload["picks"])),
        "is_known": is_known,
        "stops": stops,
        "groups": _grouped(found),
        "more": job.result.get("more", 0),
        "refused": refused,
        "ask_url": reverse("divide:ask", args=[job.pk]) if is_known and is_free and not stops else "",
        "again_url": again if is_free and job.has_ended else "",
        "crumbs": [{"label": _("Divide"), "url": reverse("divide:list")}],
    }
    return render(request, "operations/division_look.html", context, status=422 if refused else 200)


def _grouped(found: Iterable[list[str]]) -> list[tuple[str, list[dict[str, str]]]]:
    """Return what was found under headings, in the order in which one reads them."""
    known = [(Kind(kind), noun, name, becomes) for kind, noun, name, becomes in found]
    ordered = sorted(known, key=lambda one: ORDER.index(one[0]))
    return [
        (
            kind.heading,
            [{"noun": noun, "name": name, "becomes": becomes} for _kind, noun, name, becomes in ones],
        )
        for kind, ones in groupby(ordered, key=lambda one: one[0])
    ]


@require_POST
@requires(perms.DIVIDE)
def ask(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask the operators for what was looked at. Nothing changes before one of them approves it."""
    assert isinstance(request.user, User)
    job = get_object_or_404(Job, pk=pk, kind=DIVISION, state=JobState.SUCCEEDED)
    if any(kind == Kind.STOPS for kind, *_rest in job.result["found"]):
        raise Http404
    told = job.payload
    try:
        splitting.ask(
            Organisation.objects.get(pk=current_tenant().id),
            name=told["name"],
            slug=told["slug"],
            picks=Picks.read(told["picks"]),
            effective_at=datetime.fromisoformat(told["effective_at"]),
            reason=told["reason"],
            by=request.user,
        )
    except Refusal as refusal:
        return _look_page(request, job, refused=str(refusal))
    record("organisation.split_asked", details={"name": told["name"], "reason": told["reason"]})
    say(request, _("The operators are asked. Until one of them approves it you can take it back."))
    return redirect("divide:list")


@require_POST
@requires(perms.DIVIDE)
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back what was asked for, before an operator approves it."""
    assert isinstance(request.user, User)
    split = get_object_or_404(Split, pk=pk, source=current_tenant().id)
    try:
        joining.cancel(split, by=request.user, reason=_("Taken back by the organisation"))
    except CannotJoin as refusal:
        say(request, str(refusal))
    else:
        record("organisation.split_taken_back", details={"name": split.name})
        say(request, _("It is taken back. Nothing has changed."))
    return redirect("divide:list")
