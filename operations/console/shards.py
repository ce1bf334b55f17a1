"""Shards in the console: region, load, whether each answers, and the figures of its server."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from accounts.identity.models import User
from operations.actions.shards import server_of, unregistered
from operations.actions.states import note_shard
from operations.console.meaning import badge, moment
from operations.console.tables import Table
from operations.forms import ShardForm
from operations.models import ShardHealth
from tenants.models import Shard
from tenants.placement import State


class ShardAdmin(Table):
    """Shards: whether they take new organisations, and how many. They come and go with the environment."""

    title = "Shards"
    list_display = (
        *("alias", "answers", "region", "living", "takes_new", "owner"),
        *("size", "connections", "oldest", "archived", "version"),
    )
    readonly_fields = (
        *("alias", "answers", "living", "server", "version", "size", "connections", "oldest"),
        *("archived", "looked"),
    )
    fieldsets = (
        (None, {"fields": ("alias", "answers", "living", "looked")}),
        ("Who is placed here", {"fields": ("is_open", "region", "capacity", "reserved_for", "reason")}),
        ("Its server", {"fields": ("server", "version", "size", "connections", "oldest", "archived")}),
    )
    form = ShardForm
    list_select_related = ("health",)
    change_list_template = "operations/shard_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shard]:
        placed = Count("organisations", filter=~Q(organisations__state=State.GONE))
        everything: QuerySet[Shard] = super().get_queryset(request)
        return everything.annotate(placed=placed)

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
        return super().changelist_view(request, {"unregistered": unregistered(), **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Server answers")
    def answers(self, shard: Shard) -> SafeString | str:
        """Show whether its server answers, and since when not."""
        if shard.alias not in settings.SHARD_ALIASES:
            return badge("failed", "Not in the environment")
        seen = _health(shard)
        if seen is None:
            return "Nobody has looked yet"
        if seen.down_since is None and seen.full_since is not None:
            full = moment(seen.full_since, f"Full for {timesince(seen.full_since, depth=1)}")
            return format_html("{} {}", badge("failed", full), "Reads only: a disk has no room left.")
        if seen.down_since is None:
            return badge("active", "Yes")
        since = moment(seen.down_since, f"Not for {timesince(seen.down_since, depth=1)}")
        return format_html("{} {}", badge("failed", since), seen.down_why)

    @admin.display(description="Organisations", ordering="placed")
    def living(self, shard: Any) -> str:
        """Show how many organisations live there, of how many."""
        share = f" ({shard.placed / shard.capacity:.0%})" if shard.capacity else ""
        return f"{shard.placed:,} of {shard.capacity:,}{share}"

    @admin.display(description="Takes new ones", ordering="is_open", boolean=True)
    def takes_new(self, shard: Shard) -> bool:
        """Show whether new organisations are placed there."""
        return shard.is_open

    @admin.display(description="Reserved for", ordering="reserved_for")
    def owner(self, shard: Shard) -> str:
        """Show whose own server it is."""
        return shard.reserved_for or "–"

    @admin.display(description="Server")
    def server(self, shard: Shard) -> str:
        """Show where its server answers; never the login or the password."""
        return server_of(shard.alias) if shard.alias in settings.SHARD_ALIASES else "–"

    @admin.display(description="PostgreSQL", ordering="health__version")
    def version(self, shard: Shard) -> str:
        """Show the version of its server."""
        seen = _health(shard)
        return (seen.version if seen else "") or "–"

    @admin.display(description="Size", ordering="health__size_bytes")
    def size(self, shard: Shard) -> str:
        """Show the size of its database on disk."""
        seen = _health(shard)
        return filesizeformat(seen.size_bytes) if seen and seen.size_bytes else "–"

    @admin.display(description="Connections", ordering="health__connections")
    def connections(self, shard: Shard) -> str:
        """Show how many connections its server has, of how many it takes."""
        seen = _health(shard)
        if seen is None or seen.connections is None:
            return "–"
        return f"{seen.connections:,} of {seen.connections_most:,}"

    @admin.display(description="Oldest transaction", ordering="health__oldest_transaction_s")
    def oldest(self, shard: Shard) -> str:
        """Show how long ago the oldest transaction of the app began."""
        seen = _health(shard)
        if seen is None or seen.answered_at is None:
            return "–"
        return f"{seen.oldest_transaction_s:,.0f} s" if seen.oldest_transaction_s else "None"

    @admin.display(description="Archived log", ordering="health__archived_bytes")
    def archived(self, shard: Shard) -> SafeString | str:
        """Show how much of its log was archived since the server began to count, and whether that fails."""
        seen = _health(shard)
        if seen is None or seen.archived_bytes is None:
            return "–"
        size = filesizeformat(seen.archived_bytes)
        return format_html("{} {}", size, badge("failed", "fails")) if seen.archive_fails else size

    @admin.display(description="Looked at")
    def looked(self, shard: Shard) -> SafeString | str:
        """Show when somebody last looked."""
        seen = _health(shard)
        return moment(seen.looked_at) if seen else "–"


def _health(shard: Shard) -> ShardHealth | None:
    return getattr(shard, "health", None)


def _shown(value: object) -> object:
    return ("no", "yes")[value] if isinstance(value, bool) else value or "nobody"
