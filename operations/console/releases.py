"""Releases in the console, and what only organisations can answer."""

from typing import Any, cast

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts import questions
from accounts.identity.models import User
from operations.actions.releasing import organisations_on
from operations.actions.states import note_release
from operations.console.meaning import moment, when
from operations.console.tables import ReadOnlyAdmin, Table
from operations.forms import ReleaseForm
from tenants.models import QuestionState, Release


class ReleaseAdmin(Table):
    """Releases: which processes serve them, and whether organisations may be on them."""

    title = "Releases"
    lead = (
        "Processes of a release serve the organisations that are placed on it. One is enough until the next "
        "release is tried beside it."
    )
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

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Organisations")
    def serving(self, release: Release) -> int:
        """Show how many organisations it serves."""
        return organisations_on(release.pk)


class QuestionAdmin(ReadOnlyAdmin):
    """Who has answered what. The answers themselves are the organisations' own."""

    title = "Questions to organisations"
    nothing_yet = (
        "Nothing is asked of anybody. When a release brings a question that only organisations can answer, "
        "who has answered it will stand here."
    )
    list_display = (
        *("key", "organisation", "progress", when("asked_at", "Asked"), when("settled_at", "Settled")),
        "deadline",
    )
    list_filter = ("progress", "key")
    search_fields = ("key", "organisation__slug", "organisation__name")
    list_select_related = ("organisation",)

    def name_of(self, row: QuestionState) -> str:
        return f"{row.key}: {row.organisation}"

    @admin.display(description="Deadline")
    def deadline(self, state: QuestionState) -> SafeString | str:
        """Show until when it can be answered; nothing when this code no longer asks."""
        asked = questions.find(state.key)
        return moment(asked.deadline) if asked is not None else "–"
