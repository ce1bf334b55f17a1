"""Tables of the console whose rows are written by actions only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that are written by actions only. `title` stands above their list."""

    title = ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        titled = {"title": self.title, **(extra_context or {})}
        return super().changelist_view(request, titled)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # The row's name stands below; the framework's title would say "View organisation".
        titled = {"title": str(self.opts.verbose_name).capitalize(), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, titled)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
