"""What this room shows on an organisation's own site."""

from django.urls import path

from operations.views import exports

app_name = "exports"
urlpatterns = [
    path("", exports.export_list, name="list"),
    path("<uuid:pk>/", exports.fetch, name="fetch"),
]
