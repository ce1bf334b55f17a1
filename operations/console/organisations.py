"""Organisations in the console: state, shard, size, people, last activity; acts with a reason."""

from datetime import datetime, timedelta
from functools import partial
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from accounts.identity.models import User
from operations.actions.placing import NoRoom, customers, open_regions
from operations.actions.provisioning import Wish, provision
from operations.actions.releasing import place_on_release, releases_for
from operations.actions.states import ALLOWED, change_state, note
from operations.console import leaving, merging, moving, restores
from operations.console.fleet import SchemaFilter, ring_page
from operations.console.meaning import FINAL, MEANING, PLACING, meaning_of, moment, schema_badge, state_badge
from operations.console.pages import act_page, nothing_to_choose
from operations.console.tables import ReadOnlyAdmin
from operations.forms import NewOrganisationForm, PlaceForm, StateForm
from operations.models import Erasure, FleetState, OperatorAct
from tenants.addresses import site_url
from tenants.models import Organisation
from tenants.placement import State, Stop
from tenants.refusals import Refusal
from tenants.schema import wanted_version


class OrganisationAdmin(ReadOnlyAdmin):
    """The list of organisations and the page of one."""

    title = "Organisations"
    nothing_yet = (
        "Nobody is here yet. An organisation is made here, or by whoever signs up on the public site."
    )
    first = ("admin:organisation-make", "Make the first one")
    list_display = (
        "name",
        "state_shown",
        "since",
        "address",
        "shard",
        "size",
        "people",
        "last_activity",
        "as_of",
        "schema_state",
    )
    list_filter = ("state", SchemaFilter, "shard")
    search_fields = ("name", "slug")
    list_select_related = ("shard", "fleet_state")
    list_per_page = 50
    ordering = ("state", "name")
    fieldsets = (
        (None, {"fields": ("name", "address", "people", "last_activity", "size", "as_of", "made")}),
        ("State", {"fields": ("state_shown", "since", "state_reason", "means", "possible")}),
        (
            "Place",
            {
                "fields": (
                    *("shard", "moves", "region", "customer", "epoch", "release_shown"),
                    *("schema_name", "schema_long", "ring_shown", "brought_back"),
                )
            },
        ),
        ("With others", {"fields": ("merges",)}),
        ("Leaving", {"fields": ("exports_shown", "erasure_shown")}),
        ("Acts of operators", {"fields": ("acts",)}),
    )
    readonly_fields = (
        *("address", "people", "last_activity", "size", "as_of", "made", "state_shown", "since", "means"),
        *("possible", "release_shown", "schema_long", "ring_shown", "acts", "moves", "brought_back"),
        *("exports_shown", "erasure_shown", "merges"),
    )
    change_list_template = "operations/organisation_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        changes = OperatorAct.objects.filter(organisation=OuterRef("pk"), act__in=State).order_by("-at")
        since = Coalesce(Subquery(changes.values("at")[:1]), "created_at")
        everything: QuerySet[Organisation] = super().get_queryset(request)
        return everything.prefetch_related("domains").annotate(state_since=since)

    @admin.display(description="State", ordering="state")
    def state_shown(self, organisation: Organisation) -> SafeString:
        """Show the state as a word in its colour."""
        return state_badge(State(organisation.state))

    @admin.display(description="For", ordering="-state_since")
    def since(self, organisation: Organisation) -> SafeString:
        """Show for how long it has been in its state."""
        at: datetime = organisation.state_since
        return moment(at, _age(at))

    @admin.display(description="What the state stops")
    def means(self, organisation: Organisation) -> SafeString:
        """Show what the state means to its people."""
        return meaning_of(State(organisation.state), is_part=organisation.part_of_id is not None)

    @admin.display(description="People", ordering="people_count")
    def people(self, organisation: Organisation) -> str:
        """Show how many people can sign in."""
        return f"{organisation.people_count:,}" if organisation.size_bytes else "–"

    @admin.display(description="Last activity", ordering="last_active_at")
    def last_activity(self, organisation: Organisation) -> SafeString | str:
        """Show when somebody last used it."""
        at = organisation.last_active_at
        return moment(at, f"{_age(at)} ago") if at else "–"

    @admin.display(description="As of", ordering="figures_at")
    def as_of(self, organisation: Organisation) -> SafeString | str:
        """Show when people, last activity and size were looked up."""
        at = organisation.figures_at
        return moment(at, f"{_age(at)} ago") if at else "Not looked at yet"

    @admin.display(description="Made", ordering="created_at")
    def made(self, organisation: Organisation) -> SafeString:
        """Show the day on which it was made."""
        return moment(organisation.created_at, f"{organisation.created_at:%d %b %Y}")

    @admin.display(description="Address")
    def address(self, organisation: Organisation) -> SafeString | str:
        """Show where it answers, as a link."""
        primary = next((domain for domain in organisation.domains.all() if domain.is_primary), None)
        if primary is None:
            return "–"
        return format_html('<a href="{}">{}</a>', site_url(primary.domain) + "/", primary.domain)

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, organisation: Organisation) -> str:
        """Show the size on disk in words; nothing before it was looked at for the first time."""
        return filesizeformat(organisation.size_bytes) if organisation.size_bytes else "–"

    @admin.display(description="Migrations", ordering="fleet_state__version")
    def schema_state(self, organisation: Organisation) -> SafeString:
        """Show whether its schema has all migrations."""
        return schema_badge(getattr(organisation, "fleet_state", None))

    @admin.display(description="Migrations")
    def schema_long(self, organisation: Organisation) -> SafeString:
        """Show the same with when, how long, and what went wrong or is waited for."""
        state: FleetState | None = getattr(organisation, "fleet_state", None)
        badge = schema_badge(state)
        if state is None or state.migrated_at is None:
            return badge
        took = f", in {state.took_ms:,} ms" if state.took_ms else ""
        said = format_html("{} · {}{}", badge, moment(state.migrated_at), took)
        why = state.error or (state.waits if state.version != wanted_version() else "")
        return format_html("{}<pre>{}</pre>", said, why) if why else said

    @admin.display(description="Back-up")
    def brought_back(self, organisation: Organisation) -> SafeString | str:
        """Show since when it can be brought back, with a link to ask for it."""
        return restores.link_of(organisation)

    @admin.display(description="Exports")
    def exports_shown(self, organisation: Organisation) -> SafeString:
        """Show the last exports, with a link to have one written."""
        return leaving.exports_of(organisation)

    @admin.display(description="Erasure")
    def erasure_shown(self, organisation: Organisation) -> SafeString | str:
        """Show what becomes of its data, with a link to have it erased when it is gone."""
        return leaving.erasure_of(organisation)

    @admin.display(description="Merges and splits")
    def merges(self, organisation: Organisation) -> SafeString:
        """Show of what it is a part, its merges and splits, and a link to ask for one."""
        return merging.joined_with(organisation)

    @admin.display(description="Ring")
    def ring_shown(self, organisation: Organisation) -> SafeString:
        """Show when it has its migrations, with a link to change that."""
        return format_html(
            '{} · <a href="{}">Change when it has its migrations</a>',
            organisation.get_ring_display(),
            reverse("admin:organisation-ring", args=[organisation.pk]),
        )

    @admin.display(description="Acts of operators")
    def acts(self, organisation: Organisation) -> SafeString | str:
        """Show the last acts with their reasons."""
        rows = [
            (f"{act.at:%d %b %Y %H:%M}", act.act, act.operator_label, act.reason)
            for act in organisation.acts.all()[:20]
        ]
        if not rows:
            return "None yet"
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} · {} by {}: {}</li>", rows))

    @admin.display(description="Moves")
    def moves(self, organisation: Organisation) -> SafeString:
        """Show the move under way or a link to begin one, and the moves before."""
        return moving.links_of(organisation)

    @admin.display(description="Change its state")
    def possible(self, organisation: Organisation) -> SafeString | str:
        """Show a link for each state it may come into."""
        if Erasure.objects.past_return(organisation).exists():
            return "None: its data is erased. It comes back with manage.py come_back, from its own export."
        if why := merging.instead_of_states(organisation):
            return why
        states = sorted(ALLOWED[State(organisation.state)])
        return format_html_join(
            " · ",
            '<a href="{}">{}</a>',
            (
                (
                    reverse("admin:organisation-state", args=[organisation.pk, state.value]),
                    f"Make it {state.value}",
                )
                for state in states
            ),
        )

    @admin.display(description="Release")
    def release_shown(self, organisation: Organisation) -> SafeString:
        """Show which release serves it, with a link to change that."""
        if organisation.placement().stops(Stop.ENTRY):
            return format_html("{}", organisation.release)
        url = reverse("admin:organisation-release", args=[organisation.pk])
        return format_html('{} · <a href="{}">Place it on another release</a>', organisation.release, url)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap = self.admin_site.admin_view
        own = [
            path("make/", wrap(self.make), name="organisation-make"),
            path("<uuid:pk>/state/<str:state>/", wrap(self.change_state), name="organisation-state"),
            path("<uuid:pk>/ring/", wrap(ring_page), name="organisation-ring"),
            path("<uuid:pk>/restore/", wrap(restores.ask_page), name="organisation-restore"),
            path("<uuid:pk>/release/", wrap(self.place), name="organisation-release"),
            *leaving.urls(wrap),
            *merging.urls(wrap),
            *moving.urls(wrap),
        ]
        return [*own, *super().get_urls()]

    def make(self, request: HttpRequest) -> HttpResponse:
        """Make an organisation with its first owner."""
        form = NewOrganisationForm(
            request.POST or None,
            shards=list(settings.SHARD_ALIASES),
            regions=open_regions(),
            customers=customers(),
        )
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            wish = Wish(
                told["slug"],
                told["name"],
                told["owner_email"],
                told["owner_name"],
                shard=told.get("shard") or None,
                region=told.get("region", ""),
                customer=told.get("customer", ""),
            )
            said = partial(note, act="made", reason=told["reason"], by=operator_of(request))
            try:
                organisation = provision(wish, also=lambda made: said(organisation=made))
            except NoRoom as refusal:
                form.add_error("shard" if "shard" in form.fields else None, str(refusal))
            except Refusal as refusal:
                form.add_error("slug", str(refusal))
            else:
                done = f"{organisation.name} was made on {organisation.shard_id}."
                messages.success(request, f"{done} {wish.owner_email} is sent a link to choose a password.")
                return redirect("admin:tenants_organisation_change", organisation.pk)
        title, button = "Make an organisation", "Make the organisation"
        return act_page(request, form, opts=self.opts, title=title, button=button)

    def change_state(self, request: HttpRequest, pk: UUID, state: str) -> HttpResponse:
        """Change the state of one organisation, after saying what that does."""
        organisation = get_object_or_404(Organisation, pk=pk)
        to = State(state) if state in list(State) else None
        if to not in ALLOWED[State(organisation.state)]:
            raise PermissionDenied
        named = str(organisation.slug) if to in FINAL else None
        form = StateForm(request.POST or None, named=named)
        if request.method == "POST" and form.is_valid():
            change_state(
                organisation=organisation, to=to, reason=form.cleaned_data["reason"], by=operator_of(request)
            )
            messages.success(request, f"{organisation.name} is {to.value} now.")
            return redirect("admin:tenants_organisation_change", organisation.pk)
        title = f"Make {organisation.name} {to.value}"
        shown = {"title": title, "button": title, "consequences": MEANING[to], "organisation": organisation}
        return act_page(request, form, opts=self.opts, **shown)

    def place(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Let another release serve one organisation."""
        organisation = get_object_or_404(Organisation, pk=pk)
        title = f"Place {organisation.name} on another release"
        shown = {"opts": self.opts, "organisation": organisation, "title": title}
        names = releases_for(organisation)
        if not names:
            said = f"There is no other release to be on: {organisation.release} is the only one that serves."
            url, label = reverse("admin:tenants_release_add"), "Add the other release, with its pool"
            return nothing_to_choose(request, said=said, url=url, label=label, **shown)
        form = PlaceForm(request.POST or None, releases=names)
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            try:
                place_on_release(
                    organisation=organisation,
                    to=told["release"],
                    reason=told["reason"],
                    by=operator_of(request),
                )
            except Refusal as refusal:
                form.add_error("release", str(refusal))
            else:
                messages.success(request, f"{organisation.name} is on release {told['release']} now.")
                return redirect("admin:tenants_organisation_change", organisation.pk)
        return act_page(request, form, **shown, button="Place it there", consequences=PLACING)


def _age(at: datetime) -> str:
    """Return how long ago something was, in its largest unit."""
    is_new = timezone.now() - at < timedelta(minutes=1)
    return "under a minute" if is_new else timesince(at, depth=1)


def operator_of(request: HttpRequest) -> User:
    """Return who is signed in at the console."""
    return cast(User, request.user)
