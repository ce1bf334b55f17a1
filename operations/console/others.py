"""The other tables of the console."""

from typing import Any, cast

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts import questions
from accounts.identity.models import User
from operations.actions.releasing import organisations_on
from operations.actions.states import note_release, note_shard
from operations.console.meaning import moment, schema_badge, when
from operations.console.organisations import ReadOnlyAdmin
from operations.forms import ReleaseForm, ShardForm
from operations.models import FleetState
from tenants.models import QuestionState, Release, Shard


class ShardAdmin(admin.ModelAdmin[Shard]):
    """Shards: whether they take new organisations, and how many. They come and go with the environment."""

    list_display = ("alias", "region", "capacity", "is_open", "living")
    readonly_fields = ("alias", "living")
    fields = ("alias", "living", "region", "capacity", "is_open", "reason")
    form = ShardForm

    def save_model(self, request: HttpRequest, obj: Shard, form: Any, change: bool) -> None:
        """Write the change and why, both or neither."""
        told, by = form.cleaned_data, cast(User, request.user)
        with transaction.atomic(using="control"):
            super().save_model(request, obj, form, change)
            for name in form.changed_data:
                if name != "reason":
                    act = f"{form.fields[name].label}: {_shown(told[name])}"
                    note_shard(shard=obj, act=act[:60], reason=told["reason"], by=by)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Shards", **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Organisations")
    def living(self, shard: Shard) -> int:
        """Show how many organisations live there."""
        return int(shard.organisations.placed().count())


class ReleaseAdmin(admin.ModelAdmin[Release]):
    """Releases: which processes serve them, and whether organisations may be on them."""

    list_display = ("name", "state", "pool", "serving")
    fields = ("name", "serving", "state", "pool", "reason")
    form = ReleaseForm

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Let the name be chosen once."""
        return ("serving",) if obj is None else ("name", "serving")

    def save_model(self, request: HttpRequest, obj: Release, form: Any, change: bool) -> None:
        """Write the change and why, both or neither."""
        told, by = form.cleaned_data, cast(User, request.user)
        with transaction.atomic(using="control"):
            # Placing an organisation on it waits for this, or this for that.
            list(Release.objects.select_for_update().filter(pk=obj.pk))
            super().save_model(request, obj, form, change)
            for name in form.changed_data:
                if name != "reason":
                    act = f"{form.fields[name].label}: {told[name] or '–'}"
                    note_release(release=obj, act=act[:60], reason=told["reason"], by=by)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Releases", **(extra_context or {})})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Organisations")
    def serving(self, release: Release) -> int:
        """Show how many organisations it serves."""
        return organisations_on(release.pk)


def _shown(value: object) -> object:
    return ("no", "yes")[value] if isinstance(value, bool) else value


class ProvisioningAdmin(ReadOnlyAdmin):
    """The makings of organisations, and what went wrong with them."""

    title = "Makings of organisations"
    list_display = (
        *("slug", "step", "shard", "was_ready"),
        *(when("begun_at", "Begun"), when("ended_at", "Ended"), "error"),
    )
    list_filter = ("step", "shard")
    search_fields = ("slug", "name")


class FleetStateAdmin(ReadOnlyAdmin):
    """How far each schema has come."""

    title = "Migrations of organisations"
    list_display = ("organisation", "state", when("migrated_at", "At"), "took_ms", "error")
    search_fields = ("organisation__slug", "organisation__name")
    list_select_related = ("organisation",)

    @admin.display(description="Migrations")
    def state(self, state: FleetState) -> SafeString:
        """Show whether it is current, behind, or failed."""
        return schema_badge(state)


class QuestionAdmin(ReadOnlyAdmin):
    """Who has answered what. The answers themselves are the organisations' own."""

    title = "Questions to organisations"
    list_display = (
        *("key", "organisation", "progress", when("asked_at", "Asked"), when("settled_at", "Settled")),
        "deadline",
    )
    list_filter = ("progress", "key")
    search_fields = ("key", "organisation__slug", "organisation__name")
    list_select_related = ("organisation",)

    @admin.display(description="Deadline")
    def deadline(self, state: QuestionState) -> SafeString | str:
        """Show until when it can be answered; nothing when this code no longer asks."""
        asked = questions.find(state.key)
        return moment(asked.deadline) if asked is not None else "–"


class OperatorActAdmin(ReadOnlyAdmin):
    """What operators did."""

    title = "Acts of operators"
    list_display = (when("at", "At"), "operator_label", "act", "organisation_label", "reason")
    list_filter = ("act",)
    search_fields = ("operator_label", "organisation_label", "reason")


class SignUpAdmin(ReadOnlyAdmin):
    """Wishes for organisations. Tokens are never shown."""

    title = "Sign-ups"
    list_display = (
        *("organisation_name", "slug", "email"),
        *(when("asked_at", "Asked"), when("mailed_at", "Mailed"), when("confirmed_at", "Confirmed")),
    )
    exclude = ("token_hash",)


class OperatorAdmin(ReadOnlyAdmin):
    """Who the operators are. They are made by `manage.py operator EMAIL`."""

    title = "Operators"
    list_display = (
        "email",
        "name",
        "is_active",
        when("last_login", "Last sign-in"),
        when("joined_at", "Since"),
    )
    exclude = ("password", "groups", "user_permissions")
