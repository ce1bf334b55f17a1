"""URLs of the content site."""

from django.urls import URLPattern, URLResolver, path

from records.views.content import content

handler400 = "records.views.content.bad_request"
handler403 = "records.views.content.forbidden"
handler404 = "records.views.content.not_found"
handler500 = "records.views.content.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("<uuid:pk>/<str:name>", content, name="content"),
]
