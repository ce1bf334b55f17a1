"""Migrations in the console: runs, how far each schema has come, and who has them when."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.identity.models import User
from operations.actions.fleet import ask_to_stop, put_in_ring
from operations.console.meaning import schema_badge, when
from operations.console.readonly import ReadOnlyAdmin
from operations.forms import ReasonForm, RingForm
from operations.models import FleetRun, FleetState
from tenants.models import Organisation
from tenants.placement import Ring
from tenants.refusals import Refusal

_LOOK_AGAIN_S = 2
_BEGUN, _ENDED = when("began_at", "Begun"), when("ended_at", "Ended")
_GOES_ON = when("goes_on_at", "Goes on")
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


class FleetRunAdmin(ReadOnlyAdmin):
    """The runs of migrations: how far each is, and what it said at the end."""

    title = "Runs of migrations"
    list_display = (_BEGUN, "state_shown", "ring", "progress", "failed", _ENDED, "said")
    fields = ("state_shown", "ring", "progress", "failed", "began", "goes_on", "ended", "said", "stop")
    readonly_fields = ("state_shown", "progress", "began", "goes_on", "ended", "stop")

    @admin.display(description="Begun")
    def began(self, run: FleetRun) -> SafeString | str:
        """Show when it was begun."""
        return _BEGUN(run)

    @admin.display(description="Goes on")
    def goes_on(self, run: FleetRun) -> SafeString | str:
        """Show when its pause ends."""
        return _GOES_ON(run)

    @admin.display(description="Ended")
    def ended(self, run: FleetRun) -> SafeString | str:
        """Show when it ended."""
        return _ENDED(run)

    @admin.display(description="State", ordering="state")
    def state_shown(self, run: FleetRun) -> SafeString:
        """Show what it is doing."""
        word = "Stopping" if run.is_at_work and run.stop_asked_at else run.get_state_display()
        tone = _TONES[FleetRun.State(run.state)]
        return format_html('<span class="state {}">{}</span>', tone, word)

    @admin.display(description="Migrated")
    def progress(self, run: FleetRun) -> SafeString:
        """Show how many of all have been migrated, as a bar and in numbers."""
        return format_html(
            '<progress max="{}" value="{}" aria-label="Migrated"></progress> {} of {}',
            *(run.total, run.migrated + run.failed, f"{run.migrated:,}", f"{run.total:,}"),
        )

    @admin.display(description="Stop it")
    def stop(self, run: FleetRun) -> SafeString | str:
        """Show a link to stop it while it is at work."""
        if not run.is_at_work:
            return "It has ended."
        if run.stop_asked_at:
            return "It was asked to stop."
        return format_html(
            '<a href="{}">Stop after those being migrated</a>', reverse("admin:run-stop", args=[run.pk])
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the act."""
        own = path("<uuid:pk>/stop/", self.admin_site.admin_view(self.stop_page), name="run-stop")
        return [own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a run; the page of one at work looks again by itself."""
        response = super().change_view(request, object_id, form_url, extra_context)
        if FleetRun.objects.filter(pk=object_id, ended_at=None).exists():
            response["Refresh"] = str(_LOOK_AGAIN_S)
        return response

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
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "opts": self.opts,
            "title": "Stop migrating",
            "button": "Stop migrating",
            "consequences": STOPPING,
            "back": reverse("admin:operations_fleetrun_change", args=[run.pk]),
            "back_to": "Runs of migrations",
        }
        return render(request, "operations/act.html", context, status=422 if form.is_bound else 200)


class FleetStateAdmin(ReadOnlyAdmin):
    """How far each schema has come."""

    title = "Migrations of organisations"
    list_display = (
        *("organisation", "ring", "state", when("migrated_at", "At"), "took", "error", "waits"),
        *(when("looked_at", "Looked at"), "differs"),
    )
    list_filter = ("organisation__ring", "organisation__shard")
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

    @admin.display(description="Took", ordering="took_ms")
    def took(self, state: FleetState) -> str:
        """Show how long it took."""
        return f"{state.took_ms:,} ms"


def ring_page(site: admin.AdminSite, request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put an organisation into another ring, with the reason."""
    organisation = get_object_or_404(Organisation, pk=pk)
    form = RingForm(request.POST or None, initial={"ring": organisation.ring})
    if request.method == "POST" and form.is_valid():
        ring, reason = Ring(form.cleaned_data["ring"]), form.cleaned_data["reason"]
        put_in_ring(organisation=organisation, ring=ring, reason=reason, by=cast(User, request.user))
        messages.success(request, f"{organisation.name} has its migrations in the ring {ring.value} now.")
        return redirect("admin:tenants_organisation_change", organisation.pk)
    context = {
        **site.each_context(request),
        "form": form,
        "opts": Organisation._meta,
        "organisation": organisation,
        "consequences": RINGS,
        "title": f"When {organisation.name} has its migrations",
        "button": "Put it there",
    }
    return render(request, "operations/act.html", context, status=422 if form.is_bound else 200)
