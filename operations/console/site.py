"""The operators' console: Django's admin on a host of its own. It shows nothing of the tenant plane."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.links import is_path_here


class Console(AdminSite):
    """The admin site. Who is not signed in as an operator is led to the sign-in of this host."""

    site_header = "Enclave operators"
    site_title = "Enclave operators"
    index_title = "Installation"
    enable_nav_sidebar = False
    empty_value_display = "–"

    def has_permission(self, request: HttpRequest) -> bool:
        """Operators only; the second step is required by accounts' middleware for this host.

        There is one kind of operator, who has both marks. The framework asks for rights on its own pages
        only, so an account with the one mark would come to every act.
        """
        user = request.user
        return bool(user.is_authenticated and user.is_active and user.is_staff and user.is_superuser)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the organisations by state, what needs somebody, and the last acts."""
        from operations.console.overview import overview  # its models are registered with this site

        return super().index(request, {**overview(), **(extra_context or {})})

    def app_index(  # type: ignore[override]  # any answer will do
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the first page: what is where in the code is nobody's question here."""
        return redirect("admin:index")

    def password_change(  # type: ignore[override]  # any answer will do
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the one page that there is for it."""
        return redirect("account_change_password")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the one sign-in there is, with its second step, and then to the page asked for."""
        asked = request.GET.get(REDIRECT_FIELD_NAME, "")
        target = asked if is_path_here(asked) else reverse("admin:index")
        if self.has_permission(request):
            return redirect(target)
        if request.user.is_authenticated:
            raise PermissionDenied  # the sign-in would only lead back here
        return redirect(f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: target})}")


console = Console(name="admin")
