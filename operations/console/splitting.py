"""Splits in the console: what becomes an organisation of its own, and what can be done about it."""

from typing import ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString

from operations.actions.provisioning import host_of
from operations.console import split_acts
from operations.console.joining import JoiningAdmin, page_of
from operations.console.meaning import when
from operations.models import JoiningStep, Split


class SplitAdmin(JoiningAdmin):
    """Splits: which wait for a second operator, which are under way, and which can be undone until when."""

    title = "Splits"
    nothing_found = "Nothing: no row, no person and no group has two claims."
    lead = (
        "What goes is chosen by name, which is not shown here: its owners choose it on their page Divide, "
        "and so does manage.py split SLUG."
    )
    labels = {
        "effective_at": "As of",
        "undo_until": "Can be undone until",
        "ended_at": "Ended",
    }
    acts: ClassVar = {
        "approve": split_acts.approve_page,
        "cancel": split_acts.cancel_page,
        "undo": split_acts.undo_page,
        "close": split_acts.close_page,
    }
    afterwards: ClassVar = {
        JoiningStep.CLOSED: "Nothing: it is for good. What went is deleted in {whole}; see {page}.",
        JoiningStep.FAILED: "Nothing: {whole} is as it was; see {page}. It can be asked for again.",
        JoiningStep.UNDONE: "Nothing: it was undone, and everything is in {whole} again; see {page}.",
        JoiningStep.CANCELLED: "Nothing: it was taken back, and {whole} stays as it is; see {page}.",
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
