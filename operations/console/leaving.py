"""Leaving in the console: exports, the erasure of who is gone, and returns."""

from typing import Any

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.console import leave_acts
from operations.console.meaning import badge, list_of, moment, when
from operations.console.tables import ReadOnlyAdmin
from operations.models import Erasure, ErasureStep, Export, ExportStep, Return, ReturnStep
from tenants.models import Organisation
from tenants.placement import State

_ERASURE_TONES = {
    ErasureStep.ASKED: "behind",
    ErasureStep.APPROVED: "behind",
    ErasureStep.DONE: "gone",
    ErasureStep.CANCELLED: "gone",
}
_EXPORT_TONES = {ExportStep.DONE: "current", ExportStep.FAILED: "failed", ExportStep.REMOVED: "gone"}
_RETURN_TONES = {ReturnStep.DONE: "current", ReturnStep.FAILED: "failed"}


class ExportAdmin(ReadOnlyAdmin):
    """Exports of everything. Their content is shown to nobody here."""

    title = "Exports"
    labels = {"ended_at": "Ended"}
    nothing_yet = "Nobody has asked for an export yet. One is written when an organisation begins to leave."
    list_display = (
        *("organisation", "step_shown", when("asked_at", "Asked"), "asked_by", "size"),
        *(when("kept_until", "Kept until"), "error"),
    )
    list_filter = ("step",)
    list_select_related = ("organisation",)
    search_fields = ("organisation__slug", "organisation__name")

    @admin.display(description="State", ordering="step")
    def step_shown(self, export: Export) -> SafeString:
        """Show whether it can be fetched."""
        return badge(_EXPORT_TONES.get(ExportStep(export.step), "trial"), export.get_step_display())

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, export: Export) -> str:
        """Show the size of the file."""
        return filesizeformat(export.size_bytes) if export.size_bytes else "–"

    def at_work(self) -> SafeString | str:
        waiting = Export.objects.filter(step=ExportStep.ASKED).count()
        return f"{waiting:,} being written." if waiting else ""


class ErasureAdmin(ReadOnlyAdmin):
    """Erasures: who waits for a second operator or for the day, and the proofs of those that are done."""

    title = "Erasures"
    labels = {"ended_at": "Ended", "not_before": "Not before"}
    nothing_yet = "No data was erased. It is asked for on the page of an organisation that is gone."
    first = ("admin:tenants_organisation_changelist", "See the organisations")
    list_display = (
        *("organisation", "step_shown", when("not_before", "Not before"), "asked_by", "approved_by"),
        *(when("ended_at", "Ended"), "error"),
    )
    list_filter = ("step",)
    list_select_related = ("organisation",)
    search_fields = ("organisation__slug", "organisation__name")
    fields = (
        *("organisation", "step_shown", "not_before", "reason", "asked_by", "approved_by", "ended_at"),
        *("was", "left", "in_back_ups", "error", "possible"),
    )
    readonly_fields = ("step_shown", "was", "left", "in_back_ups", "possible")

    @admin.display(description="Step", ordering="step")
    def step_shown(self, erasure: Erasure) -> SafeString:
        """Show how far it is."""
        return badge(_ERASURE_TONES.get(ErasureStep(erasure.step), "trial"), erasure.get_step_display())

    @admin.display(description="What was there")
    def was(self, erasure: Erasure) -> SafeString | str:
        """Show in numbers what went, and the end of the trail."""
        was = erasure.result.get("was")
        if was is None:
            return "–"
        trail, last = was["trail"], was["last_export"]
        lines = [
            f"{sum(was['rows'].values()):,} rows in {len(was['rows']):,} tables",
            f"{was['files']:,} files",
            f"{trail['entries']:,} entries of its trail",
        ]
        if trail.get("digest_of_last_10000"):
            lines.append(f"SHA-256 of the last of them: {trail['digest_of_last_10000']}")
        if trail.get("seal"):
            lines.append(f"Last seal, number {trail['seal'][0]:,}: {trail['seal'][1]}")
        lines.append(f"SHA-256 of its last export: {last['sha256']}" if last else "No export was kept here")
        return list_of(lines)

    @admin.display(description="What is left")
    def left(self, erasure: Erasure) -> SafeString | str:
        """Show what was looked up at the end."""
        left = erasure.result.get("left")
        if left is None:
            return "–"
        return list_of([f"{count:,} {what}" for what, count in left.items()])

    @admin.display(description="In back-ups until")
    def in_back_ups(self, erasure: Erasure) -> str:
        """Show until when base back-ups may have it."""
        return str(erasure.result.get("in_back_ups_until", "–"))[:16].replace("T", " ")

    @admin.display(description="What you can do")
    def possible(self, erasure: Erasure) -> SafeString | str:
        """Show links for one that has not begun."""
        cancel = format_html(
            '<a href="{}">Take it back</a>', reverse("admin:erasure-cancel", args=[erasure.pk])
        )
        if erasure.step == ErasureStep.ASKED:
            approve = reverse("admin:erasure-approve", args=[erasure.pk])
            return format_html('<a href="{}">Approve it</a> · {}', approve, cancel)
        if erasure.step == ErasureStep.APPROVED:
            return cancel
        return {
            ErasureStep.DONE: "It is done. The organisation can come back from an export that it has kept.",
            ErasureStep.ERASING: "Nothing: it has begun.",
        }.get(ErasureStep(erasure.step), "Nothing: it was taken back.")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:pk>/approve/", wrap(leave_acts.approve_page), name="erasure-approve"),
            path("<uuid:pk>/cancel/", wrap(leave_acts.cancel_page), name="erasure-cancel"),
        ]
        return [*own, *super().get_urls()]

    def name_of(self, row: Erasure) -> str:
        return f"Erasure of {row.organisation}"

    def is_at_work(self, object_id: str) -> bool:
        return Erasure.objects.filter(pk=object_id, step=ErasureStep.ERASING).exists()


class ReturnAdmin(ReadOnlyAdmin):
    """Organisations that came back from their exports."""

    title = "Returns"
    labels = {"asked_at": "Begun", "ended_at": "Ended"}
    lead = "An organisation that was erased comes back with manage.py come_back FILE, from its own export."
    nothing_yet = "Nobody has come back yet."
    list_display = (
        *("organisation", "step_shown", "shard", when("asked_at", "Begun"), when("ended_at", "Ended")),
        *("asked_by", "reason", "error"),
    )
    list_filter = ("step",)
    list_select_related = ("organisation",)

    @admin.display(description="Step", ordering="step")
    def step_shown(self, row: Return) -> SafeString:
        """Show how far it is."""
        return badge(_RETURN_TONES.get(ReturnStep(row.step), "trial"), row.get_step_display())

    def at_work(self) -> SafeString | str:
        under_way = Return.objects.open().count()
        return f"{under_way:,} under way." if under_way else ""


def urls(wrap: Any) -> list[URLPattern]:
    """Return the addresses below the list of organisations."""
    return [
        path("<uuid:pk>/export/", wrap(leave_acts.export_page), name="organisation-export"),
        path("<uuid:pk>/erase/", wrap(leave_acts.erase_page), name="organisation-erase"),
    ]


def exports_of(organisation: Organisation) -> SafeString:
    """Return the last exports of an organisation, with a link to have one written."""
    lines = [
        format_html("{} · {}", moment(export.asked_at), _export_said(export))
        for export in organisation.exports.all()[:3]
    ]
    if not Erasure.objects.past_return(organisation).exists():
        url = reverse("admin:organisation-export", args=[organisation.pk])
        lines.append(format_html('<a href="{}">Have an export written</a>', url))
    return list_of(lines or ["None"])


def _export_said(export: Export) -> str:
    size = f", {filesizeformat(export.size_bytes)}" if export.size_bytes else ""
    return f"{export.get_step_display()}{size}"


def erasure_of(organisation: Organisation) -> SafeString | str:
    """Return what has become of the data of an organisation that is gone, or a link to have it erased."""
    last = organisation.erasures.exclude(step=ErasureStep.CANCELLED).first()
    if last is not None and last.schema_name == organisation.schema_name:
        url = reverse("admin:operations_erasure_change", args=[last.pk])
        return format_html('<a href="{}">{}</a>', url, last.get_step_display())
    if organisation.state != State.GONE:
        return "Its data is here. Only who is gone can be erased."
    url = reverse("admin:organisation-erase", args=[organisation.pk])
    return format_html('Its data is here. <a href="{}">Have it erased</a>', url)
