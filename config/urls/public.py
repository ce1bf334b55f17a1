"""URLs of the public site."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [path("", include("operations.urls"))]
if settings.DEVELOPMENT:
    # Other people's mail: where a catcher takes it, and nowhere that is public.
    urlpatterns.append(path("mail/", include("jobs.caught_urls")))
