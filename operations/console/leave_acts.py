"""The acts of leaving in the console: having an export written, and having an organisation's data erased."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from operations.actions import leaving
from operations.actions.exports import ask_export
from operations.actions.states import note
from operations.console.pages import act_on, act_page, operator_of
from operations.forms import ApproveForm, ErasureForm, ReasonForm
from operations.models import Erasure, Export, ExportStep
from operations.models.leaving import FETCHED_WITHIN
from tenants.models import Organisation
from tenants.refusals import Refusal

ERASING = (
    "Its schema goes with every row and its trail, and so do its files, its exports, its bundles, and what "
    "restores have kept of it.",
    "Base back-ups still have it until they are deleted, within days; nobody is brought back from them then.",
    "What stays: that it was here, the acts of operators, and a proof of what went, in numbers.",
    "It can come back from an export that it kept itself, and from nothing else.",
    "Its address is given to nobody else.",
)
EXPORTING = (
    "Everything in it is written into one file: its rows, its trail and its files.",
    f"Who may export there can fetch it for {FETCHED_WITHIN.days} days, on its own pages. You cannot.",
    "Its people notice nothing.",
)


def export_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have an export written, which the organisation's own people fetch."""
    organisation = get_object_or_404(Organisation, pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operator = operator_of(request)
        try:
            ask_export(organisation, by=operator.email)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            reason = form.cleaned_data["reason"]
            note(organisation=organisation, act="ask for export", reason=reason, by=operator)
            messages.success(request, "It is written within some minutes.")
            return redirect("admin:tenants_organisation_change", organisation.pk)
    title = f"Have an export of {organisation.name} written"
    shown = {"consequences": EXPORTING, "title": title, "button": "Have it written"}
    return act_page(request, form, opts=Export._meta, organisation=organisation, **shown)


def erase_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask for the erasure of who is gone; a second operator has to approve it."""
    organisation = get_object_or_404(Organisation, pk=pk)
    try:
        planned = leaving.plan(organisation, at_once=False)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:tenants_organisation_change", organisation.pk)
    form = ErasureForm(request.POST or None, day=planned.not_before)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        at_once = told["when"] == ErasureForm.AT_ONCE
        try:
            asked = leaving.ask(organisation, reason=told["reason"], by=operator_of(request), at_once=at_once)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Another operator has to approve it now.")
            return redirect("admin:operations_erasure_change", asked.pk)
    said = (
        *ERASING,
        _last_export_said(organisation, planned.last_export),
        "Nothing happens before another operator approves it. Until it begins it can be taken back.",
    )
    shown = {"consequences": said, "title": f"Have the data of {organisation.name} erased"}
    return act_page(
        request, form, opts=Erasure._meta, organisation=organisation, **shown, button="Ask for it"
    )


def _last_export_said(organisation: Organisation, last: Export | None) -> str:
    if organisation.exports.filter(step=ExportStep.ASKED).exists():
        return "An export of it is being written; nothing is erased before that has ended."
    if last is None:
        return "No export of it was ever written: if it is erased now, nothing can bring it back."
    return f"Its last export is of {last.asked_at:%d %b %Y %H:%M} UTC. Ask them whether they have it."


def approve_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let an erasure have its day; the organisation's address is typed again."""
    erasure = get_object_or_404(Erasure.objects.select_related("organisation"), pk=pk)
    organisation, begins = erasure.organisation, f"{erasure.not_before:%d %b %Y %H:%M} UTC"
    last = organisation.exports.filter(step__in=[ExportStep.DONE, ExportStep.REMOVED]).first()
    said = (
        f"{erasure.asked_by} asked for it: {erasure.reason}",
        f"It begins on {begins}, and cannot be taken back from then on.",
        *ERASING,
        _last_export_said(organisation, last),
    )
    return act_on(
        request,
        erasure,
        ApproveForm(request.POST or None, slug=str(organisation.slug)),
        lambda by, told: leaving.approve(erasure, by=by, typed=told["typed"]),
        done=f"It begins on {begins}.",
        wrong="typed",
        title=f"Erase the data of {organisation.name}",
        consequences=said,
        button="Approve it",
    )


def cancel_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back an erasure that has not begun."""
    erasure = get_object_or_404(Erasure.objects.select_related("organisation"), pk=pk)
    name = erasure.organisation.name
    return act_on(
        request,
        erasure,
        ReasonForm(request.POST or None),
        lambda by, told: leaving.cancel(erasure, by=by, reason=told["reason"]),
        done=f"The data of {name} stays.",
        wrong=None,
        title=f"Leave the data of {name} where it is",
        button="Take it back",
    )
