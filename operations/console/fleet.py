"""Migrations in the console: runs, how far each schema has come, and who has them when."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.identity.models import User
from operations.actions.fleet import ask_to_stop, put_in_ring
from operations.console.meaning import badge, schema_badge, when
from operations.console.pages import act_page
from operations.console.tables import ReadOnlyAdmin
from operations.forms import ReasonForm, RingForm
from operations.models import FleetRun, FleetState
from tenants.models import Organisation
from tenants.placement import Ring
from tenants.refusals import Refusal
from tenants.schema import wanted_version

_TONES = {
    FleetRun.State.RUNNING: "trial",
    FleetRun.State.PAUSING: "behind",
    FleetRun.State.DONE: "current",
    FleetRun.State.STOPPED: "failed",
    FleetRun.State.BROKEN_OFF: "failed",
}
STOPPING = (
    "No further organisation is begun; those being migrated are finished.",
    "Whoever was not reached stays at the version that it has and is served as before.",
    "The next run goes on where this one stopped.",
)
RINGS = (
    "Canary has every migration first, early after it, everybody last.",
    "A run waits between two rings, and stops before the next one if a tenth of a ring fails.",
)


class SchemaFilter(admin.SimpleListFilter):
    """How far a schema is, in lists of organisations and of their migrations."""

    title = "migrations"
    parameter_name = "schema"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        words = ("current", "behind", "waits", "failed", "differs")
        return tuple((word, word.capitalize()) for word in words)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        on = "" if queryset.model is FleetState else "fleet_state__"
        known = Q(**{f"{on}organisation__isnull": False})
        failed, differs = known & ~Q(**{f"{on}error": ""}), known & ~Q(**{f"{on}differs": ""})
        current = Q(**{f"{on}version": wanted_version(), f"{on}error": ""})
        behind = ~failed & ~current
        waits = behind & known & ~Q(**{f"{on}waits": ""})
        conditions = {
            "failed": failed,
            "current": current,
            "behind": behind,
            "waits": waits,
            "differs": differs,
        }
        wanted = conditions.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


class FleetRunAdmin(ReadOnlyAdmin):
    """The runs of migrations: how far each is, and what it said at the end."""

    title = "Runs of migrations"
    labels = {"began_at": "Begun", "goes_on_at": "Goes on", "ended_at": "Ended"}
    nothing_yet = (
        "No run yet. manage.py migrate_fleet begins one when a release brings migrations; here it is "
        "followed, and stopped."
    )
    list_display = (
        *(when("began_at", "Begun"), "state_shown", "ring", "progress", "failed"),
        *(when("ended_at", "Ended"), "said"),
    )
    fields = (
        *("state_shown", "ring", "progress", "failures", "began_at", "goes_on_at", "ended_at"),
        *("said", "stop"),
    )
    readonly_fields = ("state_shown", "progress", "failures", "stop")

    def at_work(self) -> SafeString | str:
        return _run_at_work()

    def name_of(self, row: FleetRun) -> str:
        return f"Run of {row.began_at:%d %b %Y %H:%M}"

    def is_at_work(self, object_id: str) -> bool:
        return FleetRun.objects.filter(pk=object_id, ended_at=None).exists()

    @admin.display(description="State", ordering="state")
    def state_shown(self, run: FleetRun) -> SafeString:
        """Show what it is doing."""
        word = "Stopping" if run.is_at_work and run.stop_asked_at else run.get_state_display()
        tone = _TONES[FleetRun.State(run.state)]
        return badge(tone, word)

    @admin.display(description="Migrated")
    def progress(self, run: FleetRun) -> SafeString:
        """Show how many of all have been migrated, as a bar and in numbers."""
        return _bar(run)

    @admin.display(description="Failed")
    def failures(self, run: FleetRun) -> SafeString | str:
        """Show how many failed, with a link to those that still do."""
        if not run.failed:
            return "None"
        url = f"{reverse('admin:operations_fleetstate_changelist')}?schema=failed"
        return format_html('{} · <a href="{}" id="failures">See what went wrong</a>', f"{run.failed:,}", url)

    @admin.display(description="Stop it")
    def stop(self, run: FleetRun) -> SafeString | str:
        """Show a link to stop it while it is at work."""
        if not run.is_at_work:
            return "It has ended."
        if run.stop_asked_at:
            return "It was asked to stop."
        return format_html(
            '<a href="{}" id="stop" class="button">Stop it …</a>', reverse("admin:run-stop", args=[run.pk])
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the act."""
        own = path("<uuid:pk>/stop/", self.admin_site.admin_view(self.stop_page), name="run-stop")
        return [own, *super().get_urls()]

    def stop_page(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask a run to stop, with the reason."""
        run = get_object_or_404(FleetRun, pk=pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                ask_to_stop(run=run, reason=form.cleaned_data["reason"], by=cast(User, request.user))
            except Refusal as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, "The run stops after those being migrated.")
            return redirect("admin:operations_fleetrun_change", run.pk)
        shown = {"title": "Stop migrating", "button": "Stop migrating", "consequences": STOPPING}
        back = reverse("admin:operations_fleetrun_change", args=[run.pk])
        return act_page(request, form, opts=self.opts, **shown, back=back, back_to=self.title)


class FleetStateAdmin(ReadOnlyAdmin):
    """How far each schema has come."""

    title = "Migrations of organisations"
    nothing_yet = "There is no organisation yet. How far the schema of each is will stand here."
    first = ("admin:organisation-make", "Make the first one")
    list_display = (
        *("organisation", "ring", "state", "at_version", when("migrated_at", "At"), "what", "other"),
    )
    fields = (
        *("organisation", "ring", "state", "version", "migrated_at", "took", "error", "waits"),
        *("looked_at", "differs"),
    )
    readonly_fields = ("ring", "state", "took")
    list_filter = (SchemaFilter, "organisation__ring", "organisation__shard")
    list_per_page = 50
    search_fields = ("organisation__slug", "organisation__name")
    list_select_related = ("organisation",)

    @admin.display(description="Ring", ordering="organisation__ring")
    def ring(self, state: FleetState) -> str:
        """Show who it has its migrations with."""
        return Ring(state.organisation.ring).value.capitalize()

    @admin.display(description="Migrations", ordering="version")
    def state(self, state: FleetState) -> SafeString:
        """Show whether it is current, behind, or failed."""
        return schema_badge(state)

    def name_of(self, row: FleetState) -> str:
        return f"Migrations of {row.organisation}"

    def at_work(self) -> SafeString | str:
        return _run_at_work()

    @admin.display(description="Version", ordering="version")
    def at_version(self, state: FleetState) -> SafeString | str:
        """Show the first letters of its version, with all of them on hover."""
        return _cut(state.version, 8)

    @admin.display(description="Took", ordering="took_ms")
    def took(self, state: FleetState) -> str:
        """Show how long it took."""
        return f"{state.took_ms:,} ms" if state.took_ms else "–"

    @admin.display(description="What went wrong, or is waited for", ordering="error")
    def what(self, state: FleetState) -> SafeString | str:
        """Show the beginning of what went wrong, or of what it waits for."""
        return _cut(state.error or state.waits, 80)

    @admin.display(description="Differs in", ordering="differs")
    def other(self, state: FleetState) -> SafeString | str:
        """Show the beginning of what is otherwise than in the template."""
        return _cut(state.differs, 60)


def _run_at_work() -> SafeString | str:
    """Return how far the run under way is, with a link to it, or ""."""
    run = FleetRun.objects.filter(ended_at=None).first()
    if run is None:
        return ""
    url = reverse("admin:operations_fleetrun_change", args=[run.pk])
    said = "A run is at work in the ring {}: {} migrated, {} failed · "
    return format_html(
        said + '<a href="{}" id="run">Follow or stop it</a>', *(run.ring, _bar(run), f"{run.failed:,}", url)
    )


def _bar(run: FleetRun) -> SafeString:
    return format_html(
        '<progress max="{}" value="{}" aria-label="Migrated"></progress> {} of {}',
        *(run.total, run.migrated + run.failed, f"{run.migrated:,}", f"{run.total:,}"),
    )


def _cut(text: str, most: int) -> SafeString | str:
    """Return the beginning of a text, with the whole on hover."""
    if len(text) <= most:
        return text or "–"
    return format_html('<span title="{}">{}…</span>', text, text[:most].rstrip())


def ring_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put an organisation into another ring, with the reason."""
    organisation = get_object_or_404(Organisation, pk=pk)
    form = RingForm(request.POST or None, initial={"ring": organisation.ring})
    if request.method == "POST" and form.is_valid():
        ring, reason = Ring(form.cleaned_data["ring"]), form.cleaned_data["reason"]
        put_in_ring(organisation=organisation, ring=ring, reason=reason, by=cast(User, request.user))
        messages.success(request, f"{organisation.name} has its migrations in the ring {ring.value} now.")
        return redirect("admin:tenants_organisation_change", organisation.pk)
    title = f"When {organisation.name} has its migrations"
    shown = {"organisation": organisation, "title": title, "button": "Put it there", "consequences": RINGS}
    return act_page(request, form, opts=Organisation._meta, **shown)
