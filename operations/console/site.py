"""The operators' console: Django's admin on a host of its own. It shows nothing of the tenant plane."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse


class Console(AdminSite):
    """The admin site. Who is not signed in as an operator is led to the sign-in of this host."""

    site_header = "Enclave operators"
    site_title = "Enclave operators"
    index_title = "Installation"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Operators only; the second step is required by accounts' middleware for this host."""
        user = request.user
        return bool(user.is_authenticated and user.is_active and user.is_staff)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the organisations by state, what needs somebody, and the last acts."""
        from operations.console.overview import overview  # its models are registered with this site

        return super().index(request, {**overview(), **(extra_context or {})})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the one sign-in there is, with its limits and its second step."""
        return redirect(f"{resolve_url('account_login')}?next={request.path}")


console = Console(name="admin")
