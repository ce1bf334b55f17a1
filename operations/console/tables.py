"""What all tables of the console have in common: their titles, what an empty one says, what is at work."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import DateTimeField
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from operations.console.meaning import when


class Table(admin.ModelAdmin[Any]):
    """A table. `title` stands above its list, and `lead` below that where there is more to say.

    `nothing_yet` is what an empty list says: what will be here, and what to do first; `first` is the name
    of the page where that is done, and what its link says.
    """

    title = ""
    lead = ""
    nothing_yet = ""
    first: tuple[str, str] | None = None

    def name_of(self, row: Any) -> str:
        """Return what a row is called on its own page."""
        return str(row)

    def at_work(self) -> SafeString | str:
        """Return what is being done to the rows, if anything: their list looks again by itself then."""
        return ""

    def is_at_work(self, object_id: str) -> bool:
        """Return whether something is being done about one row: its page looks again by itself then."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {
            "title": self.title,
            "lead": self.lead,
            "nothing_yet": self.nothing_yet,
            "at_work": self.at_work(),
        }
        if self.first is not None:
            name, label = self.first
            shown |= {"first_url": reverse(name), "first": label}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        # Saving is one button: who is done comes back to the list.
        shown: dict[str, Any] = {
            "list_title": self.title,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if row is not None:
            shown |= {"title": self.name_of(row), "is_at_work": self.is_at_work(str(row.pk))}
        return super().changeform_view(request, object_id, form_url, {**shown, **(extra_context or {})})


class ReadOnlyAdmin(Table):
    """Rows that are written by actions only. `labels` are other words for their moments."""

    labels: Mapping[str, str] = {}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show moments as everywhere in the console."""
        moments = {one.name: one for one in self.opts.get_fields() if isinstance(one, DateTimeField)}
        return [
            when(name, self.labels.get(name) or capfirst(str(moments[name].verbose_name)))
            if name in moments
            else name
            for name in super().get_fields(request, obj)
        ]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
