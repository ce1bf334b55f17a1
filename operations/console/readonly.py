"""Tables of the console whose rows are written by actions only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that are written by actions only. `title` stands above their list.

    `nothing_yet` is what an empty list says: what will be here, and what to do first; `first` is the name
    of the page where that is done, and what its link says.
    """

    title = ""
    nothing_yet = ""
    first: tuple[str, str] | None = None
    change_list_template = "operations/list.html"
    change_form_template = "operations/row.html"

    def at_work(self) -> SafeString | str:
        """Return what is being done to the rows, if anything: their list looks again by itself then."""
        return ""

    def is_at_work(self, object_id: str) -> bool:
        """Return whether something is being done about one row: its page looks again by itself then."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"title": self.title, "nothing_yet": self.nothing_yet, "at_work": self.at_work()}
        if self.first is not None:
            name, label = self.first
            shown |= {"first_url": reverse(name), "first": label}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # The row's name stands below; the framework's title would say "View organisation".
        name = str(self.opts.verbose_name)
        shown = {"title": name[:1].upper() + name[1:], "is_at_work": self.is_at_work(object_id)}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
