"""Splits in the console: what becomes an organisation of its own, and what can be done about it."""

from django.contrib import admin
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.actions.provisioning import host_of
from operations.console import split_acts
from operations.console.joining import JoiningAdmin, page_of
from operations.console.meaning import when
from operations.models import Split, SplitStep


class SplitAdmin(JoiningAdmin):
    """Splits: which wait for a second operator, which are under way, and which can be undone until when."""

    title = "Splits"
    noun = "split"
    nothing_found = "Nothing: no row, no person and no group has two claims."
    lead = "What goes is chosen by name, which is not shown here: manage.py split SLUG asks for it."
    labels = {
        "effective_at": "As of",
        "undo_until": "Can be undone until",
        "ended_at": "Ended",
    }
    nothing_yet = "No part of an organisation has become an organisation of its own."
    list_display = (
        *("source", "name", "step_shown", when("asked_at", "Asked"), "asked_by", "approved_by"),
        *(when("undo_until", "Can be undone until"), "error"),
    )
    list_filter = ("step",)
    list_select_related = ("source", "made")
    search_fields = ("source__slug", "source__name", "slug", "name")
    fields = (
        *("source", "name", "address", "made_shown", "step_shown", "progress", "error", "possible", "reason"),
        *("chosen", "claims", "coming", "came", "effective_at"),
        *("asked_by", "asked_at", "approved_by", "approved_at", "undo_until", "ended_at"),
    )
    readonly_fields = (
        "address",
        "made_shown",
        "step_shown",
        "chosen",
        "claims",
        "coming",
        "came",
        "possible",
    )

    @admin.display(description="Address")
    def address(self, split: Split) -> str:
        """Show at which address the new one is."""
        return host_of(split.slug)

    @admin.display(description="The new organisation")
    def made_shown(self, split: Split) -> SafeString | str:
        """Show the new organisation, as soon as there is one."""
        return page_of(split.made, str(split.made)) if split.made is not None else "–"

    @admin.display(description="Chosen")
    def chosen(self, split: Split) -> str:
        """Show how much was chosen."""
        words = {
            "collections": "collections that go",
            "goes": "people who go",
            "both": "people who are in both",
        }
        return ", ".join(f"{what} ({len(split.picks.get(key, [])):,})" for key, what in words.items())

    @admin.display(description="What has two claims")
    def claims(self, split: Split) -> SafeString | str:
        """Show how much of what has two claims."""
        return self.found(split)

    def slug_of(self, work: Split) -> str:
        return str(work.source.slug)

    def ended(self, work: Split) -> SafeString:
        page = page_of(work.source, str(work.source))
        said = {
            SplitStep.CLOSED: "Nothing: it is for good. What went is deleted in {}.",
            SplitStep.FAILED: "Nothing: {} is as it was. It can be asked for again.",
            SplitStep.UNDONE: "Nothing: it was undone, and everything is in {} again.",
        }.get(SplitStep(work.step), "Nothing: it was taken back, and {} stays as it is.")
        return format_html(said, page)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:pk>/approve/", wrap(split_acts.approve_page), name="split-approve"),
            path("<uuid:pk>/cancel/", wrap(split_acts.cancel_page), name="split-cancel"),
            path("<uuid:pk>/undo/", wrap(split_acts.undo_page), name="split-undo"),
            path("<uuid:pk>/close/", wrap(split_acts.close_page), name="split-close"),
        ]
        return [*own, *super().get_urls()]

    def name_of(self, row: Split) -> str:
        return str(row)
