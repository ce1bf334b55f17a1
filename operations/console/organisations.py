"""Organisations in the console: state, shard, size, people, last activity; acts with a reason."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from operations.actions.states import ALLOWED, change_state, note
from operations.forms import NewOrganisationForm, ReasonForm
from tenants.addresses import site_url
from tenants.models import Organisation
from tenants.placement import State
from tenants.refusals import Refusal

# What each state means to the people of the organisation: said before it is done.
CONSEQUENCES: dict[State, tuple[str, ...]] = {
    State.ACTIVE: ("Its people can sign in and work.", "Its jobs run again."),
    State.SUSPENDED: (
        "Its people see a plain page and cannot sign in, from the next request on.",
        "Its jobs stop and wait.",
        "Nothing is deleted.",
    ),
    State.LEAVING: ("Its people can read and export.", "Nothing can be changed any more."),
}


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that are written by actions only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrganisationAdmin(ReadOnlyAdmin):
    """The list of organisations and the page of one."""

    list_display = (
        "name",
        "address",
        "state",
        "shard",
        "size",
        "people_count",
        "last_active_at",
        "schema_state",
        "created_at",
    )
    list_filter = ("state", "shard", "region")
    search_fields = ("name", "slug")
    list_select_related = ("shard", "fleet_state")
    list_per_page = 50
    ordering = ("state", "name")
    fields = (
        "name",
        "address",
        "state",
        "state_reason",
        "shard",
        "region",
        "epoch",
        "release",
        "schema_name",
        "size",
        "people_count",
        "last_active_at",
        "created_at",
        "schema_state",
        "acts",
        "possible",
    )
    readonly_fields = ("address", "size", "schema_state", "acts", "possible")
    change_list_template = "operations/organisation_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        return super().get_queryset(request).prefetch_related("domains")

    @admin.display(description="Address")
    def address(self, organisation: Organisation) -> SafeString | str:
        """Show where it answers, as a link."""
        primary = next((domain for domain in organisation.domains.all() if domain.is_primary), None)
        if primary is None:
            return "–"
        return format_html('<a href="{}">{}</a>', site_url(primary.domain) + "/", primary.domain)

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, organisation: Organisation) -> str:
        """Show the size on disk in words."""
        return filesizeformat(organisation.size_bytes)

    @admin.display(description="Schema")
    def schema_state(self, organisation: Organisation) -> str:
        """Show how far its migrations are."""
        state = getattr(organisation, "fleet_state", None)
        if state is None:
            return "Not known"
        return f"Failed: {state.error}" if state.error else f"At {state.version[:8]}, {state.took_ms} ms"

    @admin.display(description="Acts of operators")
    def acts(self, organisation: Organisation) -> SafeString | str:
        """Show the last acts with their reasons."""
        rows = [
            (act.at.strftime("%Y-%m-%d %H:%M"), act.act, act.operator_label, act.reason)
            for act in organisation.acts.all()[:20]
        ]
        if not rows:
            return "None yet"
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} · {} by {}: {}</li>", rows))

    @admin.display(description="Change its state")
    def possible(self, organisation: Organisation) -> SafeString | str:
        """Show a link for each state it may come into."""
        states = sorted(ALLOWED[State(organisation.state)])
        if not states:
            return "Nothing more can happen to it."
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

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the acts."""
        wrap = self.admin_site.admin_view
        own = [
            path("make/", wrap(self.make), name="organisation-make"),
            path("<uuid:pk>/state/<str:state>/", wrap(self.change_state), name="organisation-state"),
        ]
        return [*own, *super().get_urls()]

    def make(self, request: HttpRequest) -> HttpResponse:
        """Make an organisation with its first owner."""
        form = NewOrganisationForm(request.POST or None, shards=list(settings.SHARD_ALIASES))
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            try:
                organisation = provision(
                    Wish(
                        told["slug"],
                        told["name"],
                        told["owner_email"],
                        told["owner_name"],
                        None,
                        told["shard"] or None,
                    )
                )
            except Refusal as refusal:
                form.add_error("slug", str(refusal))
            else:
                note(organisation=organisation, act="made", reason=told["reason"], by=_operator(request))
                messages.success(request, f"{organisation.name} was made on {organisation.shard_id}.")
                return redirect("admin:tenants_organisation_change", organisation.pk)
        return self._page(request, form, title="Make an organisation", button="Make the organisation")

    def change_state(self, request: HttpRequest, pk: UUID, state: str) -> HttpResponse:
        """Change the state of one organisation, after saying what that does."""
        organisation = get_object_or_404(Organisation, pk=pk)
        to = State(state) if state in list(State) else None
        if to not in ALLOWED[State(organisation.state)]:
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            change_state(
                organisation=organisation, to=to, reason=form.cleaned_data["reason"], by=_operator(request)
            )
            messages.success(request, f"{organisation.name} is {to.value} now.")
            return redirect("admin:tenants_organisation_change", organisation.pk)
        title = f"Make {organisation.name} {to.value}"
        return self._page(request, form, title=title, button=title, consequences=CONSEQUENCES.get(to, ()))

    def _page(self, request: HttpRequest, form: ReasonForm, **context: Any) -> HttpResponse:
        each = self.admin_site.each_context(request)
        status = 422 if form.is_bound else 200
        return render(
            request,
            "operations/act.html",
            {**each, "form": form, "opts": self.opts, **context},
            status=status,
        )


def _operator(request: HttpRequest) -> User:
    return cast(User, request.user)
