"""Back-ups in the console, and bringing one organisation back: one operator asks, another one approves."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from operations.actions import restores
from operations.console.meaning import badge, moment, when
from operations.console.pages import act_on, act_page, nothing_to_choose, operator_of
from operations.console.tables import ReadOnlyAdmin
from operations.forms import ApproveForm, ReasonForm, RestoreForm, UndoRestoreForm
from operations.models import BaseBackup, Erasure, Restore, RestoreDrill, RestoreStep
from operations.models.backup import KEPT_FOR
from operations.restoring.places import CannotBackUp
from tenants.models import Organisation
from tenants.refusals import Refusal

Wrap = Callable[[Any], Any]
_ENDED = when("ended_at", "Ended")
_TONES = {
    RestoreStep.ASKED: "behind",
    RestoreStep.DONE: "current",
    RestoreStep.FAILED: "failed",
    RestoreStep.DECLINED: "gone",
}
_BACKUP_TONES = {BaseBackup.State.GOOD: "current", BaseBackup.State.FAILED: "failed"}
CONSEQUENCES = (
    "Everything in it becomes what it was at that moment. What was done since is taken back.",
    "Everybody in it is signed out. Waiting jobs, mails and invitations are held.",
    "Its people go on working until the two are exchanged, in a moment, when it is ready.",
    f"What is replaced is kept, closed, for {KEPT_FOR.days} days, and can be put back.",
    "Its trail says so. Nobody else notices anything.",
)
UNDOING = (
    "Everything in it becomes what it was just before it was brought back.",
    "What was done since then is taken back: it is kept, closed, in its place.",
    "Everybody in it is signed out. Waiting jobs, mails and invitations are held.",
    "It begins within some seconds, and needs no second operator. It cannot be undone again.",
    "Its trail says so. Nobody else notices anything.",
)
ASKING = (*CONSEQUENCES, "Nothing happens before another operator approves it.")


class BaseBackupAdmin(ReadOnlyAdmin):
    """Copies of whole servers."""

    title = "Back-ups"
    nothing_yet = (
        "There is no copy yet. The owner's worker copies each server once a day where it has the login for "
        "back-ups; manage.py backup does it at once."
    )
    list_display = (
        *("on", "state_shown", when("began_at", "Begun"), _ENDED),
        *("size", "error"),
    )
    list_filter = ("state",)

    @admin.display(description="Server of")
    def on(self, backup: BaseBackup) -> str:
        """Show which shards are on the server."""
        return ", ".join(backup.shards)

    @admin.display(description="State", ordering="state")
    def state_shown(self, backup: BaseBackup) -> SafeString:
        """Show whether it can be used."""
        tone = _BACKUP_TONES.get(BaseBackup.State(backup.state), "trial")
        return badge(tone, backup.get_state_display())

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, backup: BaseBackup) -> str:
        """Show its size on disk."""
        return filesizeformat(backup.size_bytes) if backup.size_bytes else "–"


class RestoreDrillAdmin(ReadOnlyAdmin):
    """Rehearsals: organisations restored beside the live ones, compared, and dropped."""

    title = "Rehearsals of restores"
    labels = {"to_time": "Back to", "began_at": "Begun", "ended_at": "Ended"}
    nothing_yet = (
        "Nothing was rehearsed yet. manage.py restore_drill brings some organisations back beside the live "
        "ones, compares them, and writes here whether they are equal."
    )
    list_display = (
        *(when("began_at", "Begun"), when("to_time", "Back to"), "equal", "wanted", "rows", "took_seconds"),
        "error",
    )

    def name_of(self, row: RestoreDrill) -> str:
        return f"Rehearsal of {row.began_at:%d %b %Y %H:%M}"


class RestoreAdmin(ReadOnlyAdmin):
    """Organisations that were brought back, or wait for it."""

    title = "Organisations brought back"
    labels = {"to_time": "Back to", "ended_at": "Ended"}
    nothing_yet = "Nobody was brought back to an earlier time. It is asked for on an organisation's page."
    first = ("admin:tenants_organisation_changelist", "Choose an organisation")
    list_display = (
        *("organisation", "step_shown", when("to_time", "Back to"), "asked_by", "approved_by"),
        *(_ENDED, "error"),
    )
    list_filter = ("step",)
    list_select_related = ("organisation",)
    search_fields = ("organisation__slug", "organisation__name")
    fields = (
        *("organisation", "step_shown", "to_time", "reason", "asked_by", "approved_by", "ended_at"),
        *("told", "error", "kept", "possible"),
    )
    readonly_fields = ("step_shown", "told", "kept", "possible")

    @admin.display(description="Step", ordering="step")
    def step_shown(self, restore: Restore) -> SafeString:
        """Show how far it is."""
        tone = _TONES.get(RestoreStep(restore.step), "trial")
        return badge(tone, restore.get_step_display())

    @admin.display(description="What it did")
    def told(self, restore: Restore) -> SafeString | str:
        """Show in numbers what was brought back, taken back and held."""
        lines = [(label, f"{restore.result[key]:,}") for key, label in _COUNTED if restore.result.get(key)]
        missing = len(restore.result.get("files_missing", ()))
        if missing:
            lines.append(("files whose content is no longer there", str(missing)))
        if not lines:
            return "–"
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{1} {0}</li>", lines))

    @admin.display(description="Kept until")
    def kept(self, restore: Restore) -> SafeString | str:
        """Show until when what was replaced can be put back."""
        if restore.kept_until is None or not restore.other_schema:
            return "–"
        return moment(restore.kept_until)

    @admin.display(description="What you can do")
    def possible(self, restore: Restore) -> SafeString | str:
        """Show links for one that waits for a second operator, and for one that can be undone."""
        if restore.step == RestoreStep.ASKED:
            return format_html(
                '<a href="{}">Approve it</a> · <a href="{}">Decline it</a>',
                reverse("admin:restore-approve", args=[restore.pk]),
                reverse("admin:restore-decline", args=[restore.pk]),
            )
        if "undo" in restore.result:
            wish = restore.result["undo"]
            return f"It is being put back: {wish['by']} asked for it, because: {wish['reason']}"
        try:
            restores.refuse_undo(restore)
        except Refusal as refusal:
            return str(refusal)
        address = reverse("admin:restore-undo", args=[restore.pk])
        return format_html('<a href="{}">Undo it: put back what was replaced</a>', address)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:pk>/approve/", wrap(approve_page), name="restore-approve"),
            path("<uuid:pk>/decline/", wrap(decline_page), name="restore-decline"),
            path("<uuid:pk>/undo/", wrap(undo_page), name="restore-undo"),
        ]
        return [*own, *super().get_urls()]

    def at_work(self) -> SafeString | str:
        under_way = Restore.objects.unfinished().count()
        return f"{under_way:,} under way." if under_way else ""

    def name_of(self, row: Restore) -> str:
        return f"{row.organisation} back to {row.to_time:%d %b %Y %H:%M}"

    def is_at_work(self, object_id: str) -> bool:
        return Restore.objects.unfinished().filter(pk=object_id).exists()


_COUNTED = (
    ("rows", "rows brought back"),
    ("entries_after", "later entries of its trail taken back, and kept"),
    ("sessions_ended", "sessions ended"),
    ("jobs_held", "jobs held"),
    ("mails_held", "mails held"),
    ("invitations_withdrawn", "invitations withdrawn"),
)


def link_of(organisation: Organisation) -> SafeString | str:
    """Return a link to bring an organisation back, with since when that is possible."""
    if Erasure.objects.past_return(organisation).exists():
        return "Its data is erased, and not brought back from back-ups."
    spans = restores.spans(organisation)
    if not spans:
        return "There is no back-up of its server yet."
    return format_html(
        '<a href="{}">Bring it back to an earlier time</a> · any {}',
        reverse("admin:organisation-restore", args=[organisation.pk]),
        format_html_join(" and ", "{}", ((_span(begin, end),) for begin, end in spans)),
    )


def _span(begin: datetime, end: datetime | None) -> SafeString:
    if end is None:
        return format_html("since {}", moment(begin))
    return format_html("from {} to {}", moment(begin), moment(end))


def ask_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask to which moment and why; a second operator has to approve it."""
    organisation = get_object_or_404(Organisation, pk=pk)
    title = f"Bring {organisation.name} back to an earlier time"
    shown = {"opts": Restore._meta, "organisation": organisation, "title": title}
    spans = restores.spans(organisation)
    if not spans and request.method != "POST":
        said = "There is no back-up of its server yet, so there is nothing to bring it back from."
        url, label = reverse("admin:operations_basebackup_changelist"), "See the back-ups"
        return nothing_to_choose(request, said=said, url=url, label=label, **shown)
    form = RestoreForm(request.POST or None, spans=spans)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            asked = restores.ask(organisation, to=told["to"], reason=told["reason"], by=operator_of(request))
        except (Refusal, CannotBackUp) as refusal:
            form.add_error("to", str(refusal))
        else:
            messages.success(request, "Another operator has to approve it now.")
            return redirect("admin:operations_restore_change", asked.pk)
    return act_page(request, form, **shown, consequences=ASKING, button="Ask for it")


def approve_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let what another operator asked for begin; the organisation's address is typed again."""
    restore = _restore(pk)
    return act_on(
        request,
        restore,
        ApproveForm(request.POST or None, slug=str(restore.organisation.slug)),
        lambda by, told: restores.approve(restore, by=by, typed=told["typed"]),
        done="It begins within some seconds.",
        wrong="typed",
        title=f"Bring {restore.organisation.name} back to {restore.to_time:%d %b %Y %H:%M:%S} UTC",
        consequences=(f"{restore.asked_by} asked for it: {restore.reason}", *CONSEQUENCES),
        button="Approve it",
    )


def decline_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Drop a wish that nobody has approved."""
    restore = _restore(pk)
    return act_on(
        request,
        restore,
        ReasonForm(request.POST or None),
        lambda by, told: restores.decline(restore, by=by, reason=told["reason"]),
        done=f"{restore.organisation.name} stays as it is.",
        wrong=None,
        title=f"Leave {restore.organisation.name} as it is",
        button="Decline it",
    )


def undo_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put back what a restore replaced; the organisation's address is typed."""
    restore = _restore(pk)
    to = f"{restore.to_time:%d %b %Y %H:%M:%S} UTC"
    return act_on(
        request,
        restore,
        UndoRestoreForm(request.POST or None, slug=str(restore.organisation.slug)),
        lambda by, told: restores.ask_undo(restore, by=by, reason=told["reason"], typed=told["typed"]),
        done="It begins within some seconds.",
        wrong="typed",
        title=f"Undo bringing {restore.organisation.name} back",
        consequences=(f"It was brought back to {to}: {restore.reason}", *UNDOING),
        button="Undo it",
    )


def _restore(pk: UUID) -> Restore:
    return get_object_or_404(Restore.objects.select_related("organisation"), pk=pk)
