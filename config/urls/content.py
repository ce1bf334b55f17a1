"""URLs of the content site."""

from django.urls import URLPattern, URLResolver, path

from records.views.content import content

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("<uuid:pk>/<str:name>", content, name="content"),
]
