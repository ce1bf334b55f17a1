"""Backfills in the console: how far everybody is; start, pause and resume with a reason."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs import backfills
from operations.actions.backfills import pause, resume, share_of, start
from operations.console.meaning import badge, when
from operations.console.organisations import operator_of
from operations.console.pages import act_page
from operations.console.tables import ReadOnlyAdmin
from operations.forms import ReasonForm
from operations.models import Backfill, BackfillState, Progress
from tenants.models import Organisation
from tenants.refusals import Refusal

_HAPPENS = {
    "start": (
        "Every organisation fills its rows in the background, two at a time on each shard.",
        "It makes room while the database is busy, and can be paused at any time.",
    ),
    "pause": ("Nobody goes on after the rows under way, from the next second on.", "What is filled stays."),
    "resume": ("It goes on where it was.", "Organisations in which it failed try again."),
}


def bar(done: int, total: int, text: str = "") -> SafeString:
    """Return a share as a bar and in words."""
    percent = 100 * done // total if total else 0
    return format_html(
        '<span class="share"><progress max="100" value="{}"></progress> {}</span>',
        percent,
        text or f"{percent} %",
    )


def progress_badge(state: Progress) -> SafeString:
    """Return a state as a word in its colour."""
    return badge(state.value, state.label)


class BackfillAdmin(ReadOnlyAdmin):
    """The list of backfills and the page of one."""

    title = "Backfills"
    nothing_yet = (
        "None was started yet. What a release brings to fill in every organisation is offered above, and "
        "followed here."
    )
    list_display = ("name", "state", "share", "failed", "reason", when("started_at", "Started"))
    fields = ("about", "state", "share", "rows", "by_state", "reason", "started_at", "possible")
    readonly_fields = ("about", "state", "share", "rows", "by_state", "possible")
    change_list_template = "operations/backfill_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        known = set(Backfill.objects.values_list("name", flat=True))
        new = [name for name in backfills.names() if name not in known]
        return super().changelist_view(request, {"not_started": new, **(extra_context or {})})

    def at_work(self) -> SafeString | str:
        return _under_way()

    def is_at_work(self, object_id: str) -> bool:
        return bool(_under_way())

    @admin.display(description="What it does")
    def about(self, backfill: Backfill) -> str:
        """Show what it is for, as its author says."""
        found = backfills.find(backfill.name)
        return f"{found.label}, since {found.since}" if found else "This release does not have it: it rests."

    @admin.display(description="State")
    def state(self, backfill: Backfill) -> SafeString:
        """Show whether it goes on."""
        if backfill.is_paused:
            return progress_badge(Progress.PAUSED)
        share = share_of(backfill)
        if share.done == share.organisations:
            return progress_badge(Progress.DONE)
        if not share.running and not share.waiting:
            return progress_badge(Progress.FAILED if share.failed else Progress.PAUSED)
        return progress_badge(Progress.RUNNING)

    @admin.display(description="Organisations")
    def share(self, backfill: Backfill) -> SafeString:
        """Show how many organisations are done."""
        share = share_of(backfill)
        return bar(share.done, share.organisations, f"{share.done:,} of {share.organisations:,} done")

    @admin.display(description="Rows")
    def rows(self, backfill: Backfill) -> SafeString:
        """Show how many rows were looked at, in organisations that have begun."""
        share = share_of(backfill)
        return bar(share.rows_done, share.rows_total, f"{share.rows_done:,} of {share.rows_total:,}")

    @admin.display(description="Failed")
    def failed(self, backfill: Backfill) -> str:
        """Show in how many organisations it failed."""
        return f"{share_of(backfill).failed:,}"

    @admin.display(description="By state")
    def by_state(self, backfill: Backfill) -> SafeString:
        """Show a link to the organisations in each state."""
        share, url = share_of(backfill), reverse("admin:operations_backfillstate_changelist")
        rows = (
            (
                f"{url}?backfill__id__exact={backfill.pk}&state__exact={one.value}",
                getattr(share, one.value),
                one.label,
            )
            for one in Progress
        )
        return format_html_join(
            " · ", '<a href="{}">{} {}</a>', ((to, n, word.lower()) for to, n, word in rows)
        )

    @admin.display(description="What can be done")
    def possible(self, backfill: Backfill) -> SafeString:
        """Show a link to what can be done with all of it."""
        share = share_of(backfill)
        acts = [] if backfill.is_paused else ["pause"]
        if backfill.is_paused or share.failed or share.paused:
            acts.append("resume")
        return _links(backfill, acts)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap = self.admin_site.admin_view
        own = [
            path("start/<str:name>/", wrap(self.start), name="backfill-start"),
            path("<uuid:pk>/<str:act>/all/", wrap(self.act), name="backfill-act"),
            path("<uuid:pk>/<str:act>/in/<slug:only>/", wrap(self.act), name="backfill-act-in"),
        ]
        return [*own, *super().get_urls()]

    def start(self, request: HttpRequest, name: str) -> HttpResponse:
        """Start a backfill in all organisations."""
        if backfills.find(name) is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                found = start(name=name, reason=form.cleaned_data["reason"], by=operator_of(request))
            except Refusal as refusal:
                form.add_error("reason", str(refusal))
            else:
                messages.success(request, f"{name} was started.")
                return redirect("admin:operations_backfill_change", found.pk)
        back = reverse("admin:operations_backfill_changelist")
        return self._page(request, form, f"Start {name}", "start", back)

    def act(self, request: HttpRequest, pk: UUID, act: str, only: str | None = None) -> HttpResponse:
        """Pause or resume a backfill, in all organisations or in one."""
        backfill = get_object_or_404(Backfill, pk=pk)
        if act not in ("pause", "resume"):
            raise Http404
        if only is not None:
            get_object_or_404(Organisation, slug=only)
        form = ReasonForm(request.POST or None)
        title = f"{act.capitalize()} {backfill.name}{f' in {only}' if only else ''}"
        if request.method == "POST" and form.is_valid():
            do, reason = {"pause": pause, "resume": resume}[act], form.cleaned_data["reason"]
            try:
                do(backfill=backfill, reason=reason, by=operator_of(request), only=only)
            except Refusal as refusal:
                form.add_error("reason", str(refusal))
            else:
                messages.success(request, f"{title}: done.")
                return redirect("admin:operations_backfill_change", backfill.pk)
        back = reverse("admin:operations_backfill_change", args=[backfill.pk])
        return self._page(request, form, title, act, back)

    def _page(self, request: HttpRequest, form: ReasonForm, title: str, act: str, back: str) -> HttpResponse:
        shown = {"title": title, "button": title, "consequences": _HAPPENS[act], "back": back}
        return act_page(request, form, opts=self.opts, **shown, back_to="Backfills")


class BackfillStateAdmin(ReadOnlyAdmin):
    """How far each organisation is with each backfill."""

    title = "Backfills of organisations"
    nothing_yet = "No backfill was started yet, so no organisation has anything to fill."
    first = ("admin:operations_backfill_changelist", "See the backfills")
    list_display = (
        *("organisation", "backfill", "state_shown", "share", "said"),
        *(when("ended_at", "Ended"), "possible"),
    )
    list_filter = ("state", "backfill")
    search_fields = ("organisation__slug", "organisation__name")
    list_select_related = ("organisation", "backfill")
    list_per_page = 50

    def at_work(self) -> SafeString | str:
        return _under_way()

    @admin.display(description="State", ordering="state")
    def state_shown(self, state: BackfillState) -> SafeString:
        """Show the state; what would run does not while all of it is paused."""
        is_held = state.backfill.is_paused and state.state in (Progress.WAITING, Progress.RUNNING)
        return progress_badge(Progress.PAUSED if is_held else Progress(state.state))

    @admin.display(description="Rows")
    def share(self, state: BackfillState) -> SafeString | str:
        """Show how many rows were looked at."""
        return bar(state.done, state.total, f"{state.done:,} of {state.total:,}") if state.total else "–"

    @admin.display(description="Says")
    def said(self, state: BackfillState) -> str:
        """Show what went wrong, or what it is doing."""
        return state.error or state.note or "–"

    @admin.display(description="What can be done")
    def possible(self, state: BackfillState) -> SafeString | str:
        """Show a link to what can be done in this organisation."""
        acts = {Progress.FAILED: ["resume"], Progress.PAUSED: ["resume"], Progress.DONE: []}
        return (
            _links(state.backfill, acts.get(Progress(state.state), ["pause"]), str(state.organisation.slug))
            or "–"
        )


def _under_way() -> str:
    """Return how many organisations are being filled, in words, or ""."""
    going_on = BackfillState.objects.filter(backfill__is_paused=False)
    running = going_on.filter(state=Progress.RUNNING).count()
    waiting = going_on.filter(state=Progress.WAITING).count()
    return f"{running:,} at work, {waiting:,} waiting for their turn." if running or waiting else ""


def _links(backfill: Backfill, acts: list[str], only: str = "") -> SafeString:
    name, more = ("admin:backfill-act-in", [only]) if only else ("admin:backfill-act", [])
    links = ((reverse(name, args=[backfill.pk, act, *more]), act.capitalize()) for act in acts)
    return format_html_join(" · ", '<a href="{}">{}</a>', links)
