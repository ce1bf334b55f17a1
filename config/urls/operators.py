"""URLs of the operators' console."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from operations.admin import console

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("console/", console.urls),
    path("accounts/", include("accounts.console_urls")),
]
