"""Merges in the console: who becomes a part of whom, what clashes, and what can be done about it."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.console import merge_acts
from operations.console.joining import JoiningAdmin, address_of, counts, page_of
from operations.console.meaning import list_of, when
from operations.models import JoiningStep, Merge, Split
from operations.models.joining import TAKEN
from tenants.models import Organisation
from tenants.placement import State


class MergeAdmin(JoiningAdmin):
    """Merges: which wait for a second operator, which are under way, and which can be undone until when."""

    title = "Merges"
    nothing_found = "Nothing: everything comes as it is."
    labels = {"began_at": "Begun", "undo_until": "Can be undone until", "ended_at": "Ended"}
    acts: ClassVar = {
        "approve": merge_acts.approve_page,
        "cancel": merge_acts.cancel_page,
        "undo": merge_acts.undo_page,
        "close": merge_acts.close_page,
    }
    afterwards: ClassVar = {
        JoiningStep.CLOSED: "Nothing: it is for good. {whole} is closed; its data can be erased on {page}.",
        JoiningStep.FAILED: "Nothing: {whole} stays on its own. It can be asked for on {page}.",
        JoiningStep.UNDONE: "Nothing: it was undone, {whole} is on its own. It can be asked for on {page}.",
        JoiningStep.CANCELLED: "Nothing: it was taken back, and {whole} stays on its own. See {page}.",
    }
    nothing_yet = (
        "No organisation has become a part of another one. It is asked for on the page of the one that is "
        "to become a part."
    )
    first = ("admin:tenants_organisation_changelist", "Choose an organisation")
    list_display = (
        *("absorbed", "into", "step_shown", when("asked_at", "Asked"), "asked_by", "approved_by"),
        *(when("undo_until", "Can be undone until"), "error"),
    )
    list_filter = ("step",)
    list_select_related = ("absorbed", "into")
    search_fields = ("absorbed__slug", "absorbed__name", "into__slug", "into__name")
    fields = (
        *("absorbed", "into", "step_shown", "progress", "error", "possible", "reason"),
        *("clashes", "coming", "came", "stayed"),
        *("asked_by", "asked_at", "approved_by", "approved_at", "began_at", "undo_until", "ended_at"),
    )
    readonly_fields = ("step_shown", "clashes", "coming", "came", "stayed", "possible")

    @admin.display(description="What clashes")
    def clashes(self, merge: Merge) -> SafeString | str:
        """Show how much of what clashes."""
        return self.found(merge)

    @admin.display(description="Stayed after undoing")
    def stayed(self, merge: Merge) -> SafeString | str:
        """Show what was not taken back, because people have worked on it."""
        if "stay" not in merge.result:
            return "–"
        return counts(merge.result["stay"], nothing="Nothing: all that came has gone back.")


def urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses below the list of organisations."""
    return [path("<uuid:pk>/merge/", wrap(merge_acts.ask_page), name="organisation-merge")]


def joined_with(organisation: Organisation) -> SafeString:
    """Return of what an organisation is a part, its last merges and splits, and a link to ask for a merge."""
    merges = Merge.objects.of(organisation).select_related("absorbed", "into")[:5]
    splits = Split.objects.of(organisation).select_related("source")[:5]
    lines: list[SafeString | str] = []
    if organisation.part_of is not None:
        whole = page_of(organisation.part_of, str(organisation.part_of))
        lines.append(format_html("It is a part of {}", whole))
    works: list[Merge | Split] = [*merges, *splits]
    lines += [
        format_html('<a href="{}">{}</a>', address_of(work), str(work))
        for work in sorted(works, key=lambda work: work.asked_at, reverse=True)
    ]
    is_free = not any(rows.open().of(organisation).exists() for rows in (Merge.objects, Split.objects))
    if is_free and organisation.state != State.GONE and organisation.domains.exists():
        url = reverse("admin:organisation-merge", args=[organisation.pk])
        lines.append(format_html('<a href="{}">Make it a part of another organisation</a>', url))
    return list_of(lines or ["None"])


def instead_of_states(organisation: Organisation) -> SafeString | str:
    """Return why the state of an organisation cannot be changed, if it is a part of another one; or ""."""
    if organisation.part_of is None:
        return ""
    merge = Merge.objects.filter(absorbed=organisation, step__in=TAKEN).first()
    if merge is not None:
        said = 'None: it is a part of {}. <a href="{}">Undo the merge</a> instead.'
        return format_html(said, str(organisation.part_of), address_of(merge))
    split = Split.objects.filter(made=organisation, step=JoiningStep.UNDONE).first()
    if split is not None:
        said = 'None: it was split off from {}, and <a href="{}">that was undone</a>.'
        return format_html(said, str(organisation.part_of), address_of(split))
    return f"None: it has become a part of {organisation.part_of}, for good."
