"""Merges in the console: who becomes a part of whom, what clashes, and what can be done about it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from operations.console import merge_acts
from operations.console.meaning import moment, when
from operations.console.tables import ReadOnlyAdmin
from operations.joining.telling import grouped, in_words
from operations.models import Merge, MergeStep
from operations.models.merge import TAKEN
from tenants.models import Organisation
from tenants.placement import State

_TONES = {
    MergeStep.FOUND: "behind",
    MergeStep.DONE: "current",
    MergeStep.CLOSED: "current",
    MergeStep.FAILED: "failed",
    MergeStep.UNDONE: "gone",
    MergeStep.CANCELLED: "gone",
}
_NOTHING = {
    MergeStep.APPROVED: "Nothing now: it is under way. As soon as it is done it can be undone.",
    MergeStep.STAGED: "Nothing now: it is under way. As soon as it is done it can be undone.",
    MergeStep.UNDOING: "Nothing: it is being undone.",
}


class MergeAdmin(ReadOnlyAdmin):
    """Merges: which wait for a second operator, which are under way, and which can be undone until when."""

    title = "Merges"
    labels = {"began_at": "Begun", "undo_until": "Can be undone until", "ended_at": "Ended"}
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

    @admin.display(description="Step", ordering="step")
    def step_shown(self, merge: Merge) -> SafeString:
        """Show how far it is."""
        tone = _TONES.get(MergeStep(merge.step), "trial")
        return format_html('<span class="state {}">{}</span>', tone, merge.get_step_display())

    @admin.display(description="What clashes")
    def clashes(self, merge: Merge) -> SafeString | str:
        """Show how much of what was found, under headings, and how to see it by name."""
        if "clashes" not in merge.result:
            return "–"
        groups = grouped(merge.result)
        if not groups:
            return "Nothing: everything comes as it is."
        shown = [(kind.heading, _list(lines)) for kind, lines in groups]
        by_name = format_html(
            "<p>By name, for whoever has the owner's login: manage.py merge {} --show</p>",
            merge.absorbed.slug,
        )
        return format_html_join("", "<p>{}</p>{}", shown) + by_name

    @admin.display(description="Rows that come")
    def coming(self, merge: Merge) -> SafeString | str:
        """Show how many rows of what were counted when it was looked for clashes."""
        return _counts(merge.result.get("rows", {}))

    @admin.display(description="Rows that came")
    def came(self, merge: Merge) -> SafeString | str:
        """Show how many rows of what were carried over."""
        return _counts(merge.result.get("came", {}))

    @admin.display(description="Stayed after undoing")
    def stayed(self, merge: Merge) -> SafeString | str:
        """Show what was not taken back, because people have worked on it."""
        if "stay" not in merge.result:
            return "–"
        return _counts(merge.result["stay"], nothing="Nothing: all that came has gone back.")

    @admin.display(description="What you can do")
    def possible(self, merge: Merge) -> SafeString | str:
        """Show the acts that this step lets, or why there is none."""
        step = MergeStep(merge.step)
        if step == MergeStep.FOUND:
            return _links(merge, ("merge-approve", "Approve it"), ("merge-cancel", "Take it back"))
        if step == MergeStep.ASKED:
            return _links(merge, ("merge-cancel", "Take it back"))
        if step == MergeStep.DONE and merge.undo_until is not None:
            acts = _links(merge, ("merge-undo", "Undo it"), ("merge-close", "Close it now"))
            until = moment(merge.undo_until)
            return format_html("{} · It can be undone until {}, and is closed by itself then.", acts, until)
        return _NOTHING.get(step) or _ended(merge)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:pk>/approve/", wrap(merge_acts.approve_page), name="merge-approve"),
            path("<uuid:pk>/cancel/", wrap(merge_acts.cancel_page), name="merge-cancel"),
            path("<uuid:pk>/undo/", wrap(merge_acts.undo_page), name="merge-undo"),
            path("<uuid:pk>/close/", wrap(merge_acts.close_page), name="merge-close"),
        ]
        return [*own, *super().get_urls()]

    def at_work(self) -> SafeString | str:
        under_way = Merge.objects.at_work().count()
        return f"{under_way:,} under way." if under_way else ""

    def name_of(self, row: Merge) -> str:
        return str(row)

    def is_at_work(self, object_id: str) -> bool:
        return Merge.objects.at_work().filter(pk=object_id).exists()


def urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses below the list of organisations."""
    return [path("<uuid:pk>/merge/", wrap(merge_acts.ask_page), name="organisation-merge")]


def merges_of(organisation: Organisation) -> SafeString:
    """Return of what an organisation is a part, its last merges, and a link to ask for one."""
    found = list(Merge.objects.of(organisation).select_related("absorbed", "into")[:5])
    lines: list[SafeString | str] = []
    if organisation.part_of is not None:
        whole = _page_of(organisation.part_of, str(organisation.part_of))
        lines.append(format_html("It is a part of {}", whole))
    lines += [
        format_html('<a href="{}">{}</a>: {}', _address(merge), str(merge), merge.get_step_display())
        for merge in found
    ]
    is_free = not Merge.objects.open().of(organisation).exists()
    if is_free and organisation.state != State.GONE and organisation.domains.exists():
        url = reverse("admin:organisation-merge", args=[organisation.pk])
        lines.append(format_html('<a href="{}">Make it a part of another organisation</a>', url))
    return _list(lines or ["None"])


def instead_of_states(organisation: Organisation) -> SafeString | str:
    """Return why the state of an organisation cannot be changed, if it is a part of another one; or ""."""
    if organisation.part_of is None:
        return ""
    merge = Merge.objects.filter(absorbed=organisation, step__in=TAKEN).first()
    if merge is None:
        return f"None: it has become a part of {organisation.part_of}, for good."
    return format_html(
        'None: it is a part of {}. <a href="{}">Undo the merge</a> instead.',
        str(organisation.part_of),
        _address(merge),
    )


def _ended(merge: Merge) -> SafeString:
    """Say what can be done after the end, and where."""
    page = _page_of(merge.absorbed, f"the page of {merge.absorbed}")
    said = {
        MergeStep.CLOSED: "Nothing: it is for good. What {} had is closed, and can be erased on {}.",
        MergeStep.FAILED: "Nothing: {} stays on its own. It can be asked for again on {}.",
        MergeStep.UNDONE: "Nothing: it was undone, and {} is on its own. It can be asked for again on {}.",
    }.get(MergeStep(merge.step), "Nothing: it was taken back, and {} stays on its own. See {}.")
    return format_html(said, str(merge.absorbed), page)


def _address(merge: Merge) -> str:
    return reverse("admin:operations_merge_change", args=[merge.pk])


def _page_of(organisation: Organisation, said: str) -> SafeString:
    url = reverse("admin:tenants_organisation_change", args=[organisation.pk])
    return format_html('<a href="{}">{}</a>', url, said)


def _links(merge: Merge, *acts: tuple[str, str]) -> SafeString:
    found = ((reverse(f"admin:{name}", args=[merge.pk]), label) for name, label in acts)
    return format_html_join(" · ", '<a href="{}">{}</a>', found)


def _counts(counts: Mapping[str, int], nothing: str = "–") -> SafeString | str:
    if not counts:
        return nothing
    lines = _list(f"{count:,} {what}" for what, count in in_words(counts).items())
    return format_html("{} in all{}", f"{sum(counts.values()):,}", lines)


def _list(lines: Iterable[SafeString | str]) -> SafeString:
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines)))
