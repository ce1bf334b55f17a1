"""URLs of the tenant site."""

from django.urls import URLPattern, URLResolver, include, path

from records.views.home import home

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("accounts/", include("accounts.entrance_urls")),
    path("trail/", include("audit.urls")),
    path("jobs/", include("jobs.urls")),
    path("exports/", include("operations.tenant_urls")),
    path("divide/", include("operations.dividing_urls")),
    path("", include("accounts.urls")),
    path("", include("permissions.urls")),
    path("", include("records.urls")),
]
