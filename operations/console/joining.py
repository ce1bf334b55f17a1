"""What merges and splits have in common in the console: their page of one, and the form of an act."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from operations.console.meaning import badge, list_of, moment
from operations.console.tables import ReadOnlyAdmin
from operations.joining.telling import grouped, in_words
from operations.models import JoiningStep, Merge, Split
from tenants.models import Organisation

_TONES = {
    JoiningStep.FOUND.value: "behind",
    JoiningStep.DONE.value: "current",
    JoiningStep.CLOSED.value: "current",
    JoiningStep.FAILED.value: "failed",
    JoiningStep.UNDONE.value: "gone",
    JoiningStep.CANCELLED.value: "gone",
}
_UNDER_WAY = "Nothing now: it is under way. As soon as it is done it can be undone."
_NOTHING = {
    JoiningStep.APPROVED.value: _UNDER_WAY,
    JoiningStep.STAGED.value: _UNDER_WAY,
    JoiningStep.UNDOING.value: "Nothing: it is being undone.",
}
Work = Merge | Split


class JoiningAdmin(ReadOnlyAdmin):
    """Pieces of this work. `acts` are the pages on which something is done about one.

    `afterwards` says what can be done at the end, of `{whole}` or on its `{page}`.
    """

    nothing_found = ""
    acts: ClassVar[Mapping[str, Callable[..., HttpResponse]]] = {}
    afterwards: ClassVar[Mapping[JoiningStep, str]] = {}

    @admin.display(description="Step", ordering="step")
    def step_shown(self, work: Work) -> SafeString:
        """Show how far it is."""
        tone = _TONES.get(work.step, "trial")
        return badge(tone, work.get_step_display())

    def found(self, work: Work) -> SafeString | str:
        """Show how much of what was found, under headings, and how to see it by name."""
        if "clashes" not in work.result:
            return "–"
        lines = found_in(work)
        if not lines:
            return self.nothing_found
        by_name = format_html(
            "<p>By name, for whoever has the owner's login: manage.py {} {} --show</p>",
            work.noun,
            work.named().slug,
        )
        return list_of(lines) + by_name

    @admin.display(description="Rows that come")
    def coming(self, work: Work) -> SafeString | str:
        """Show how many rows of what were counted beforehand."""
        return counts(work.result.get("rows", {}))

    @admin.display(description="Rows that came")
    def came(self, work: Work) -> SafeString | str:
        """Show how many rows of what were carried over."""
        return counts(work.result.get("came", {}))

    @admin.display(description="What you can do")
    def possible(self, work: Work) -> SafeString | str:
        """Show the acts that this step lets, or why there is none."""
        if work.step == JoiningStep.FOUND:
            return self._links(work, ("approve", "Approve it"), ("cancel", "Take it back"))
        if work.step == JoiningStep.ASKED:
            return self._links(work, ("cancel", "Take it back"))
        if work.step == JoiningStep.DONE and work.undo_until is not None:
            acts = self._links(work, ("undo", "Undo it"), ("close", "Close it now"))
            until = moment(work.undo_until)
            return format_html("{} · It can be undone until {}, and is closed by itself then.", acts, until)
        return _NOTHING.get(work.step) or self._ended(work)

    def _ended(self, work: Work) -> SafeString:
        whole = str(work.named())
        said = self.afterwards[JoiningStep(work.step)]
        return format_html(said, whole=whole, page=page_of(work.named(), f"the page of {whole}"))

    def _links(self, work: Work, *acts: tuple[str, str]) -> SafeString:
        found = ((reverse(f"admin:{work.noun}-{name}", args=[work.pk]), label) for name, label in acts)
        return format_html_join(" · ", '<a href="{}">{}</a>', found)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap, noun = self.admin_site.admin_view, self.model._meta.model_name
        own = [path(f"<uuid:pk>/{act}/", wrap(page), name=f"{noun}-{act}") for act, page in self.acts.items()]
        return [*own, *super().get_urls()]

    def at_work(self) -> SafeString | str:
        rows: Any = self.model._default_manager
        under_way = rows.at_work().count()
        return f"{under_way:,} under way." if under_way else ""

    def is_at_work(self, object_id: str) -> bool:
        rows: Any = self.model._default_manager
        return bool(rows.at_work().filter(pk=object_id).exists())


def found_in(work: Work) -> list[str]:
    """Return how much of what there is under each heading, a line each."""
    return [f"{kind.heading}: {', '.join(lines)}" for kind, lines in grouped(work.result)]


def counts(counted: Mapping[str, int], nothing: str = "–") -> SafeString | str:
    """Return how many rows of what there are, the most first."""
    if not counted:
        return nothing
    lines = list_of(f"{count:,} {what}" for what, count in in_words(counted).items())
    return format_html("{} in all{}", f"{sum(counted.values()):,}", lines)


def address_of(work: Work) -> str:
    """Return the page of a merge or a split."""
    return reverse(f"admin:operations_{work._meta.model_name}_change", args=[work.pk])


def page_of(organisation: Organisation, said: str) -> SafeString:
    """Return a link to the page of an organisation."""
    url = reverse("admin:tenants_organisation_change", args=[organisation.pk])
    return format_html('<a href="{}">{}</a>', url, said)
