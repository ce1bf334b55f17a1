"""The operators' console: Django's admin on a host of its own. It shows nothing of the tenant plane."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url


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

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the one sign-in there is, with its limits and its second step."""
        return redirect(f"{resolve_url('account_login')}?next={request.path}")


console = Console(name="admin")
