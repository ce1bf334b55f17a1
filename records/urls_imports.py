"""Addresses of imports, in the app of the records."""

from django.urls import URLPattern, path

from records.views import imports

urlpatterns: list[URLPattern] = [
    path("imports/", imports.import_start, name="import-start"),
    path("c/<slug:key>/import/", imports.import_into, {"kind": "collection"}, name="import-into"),
    path("rooms/<slug:key>/import/", imports.import_into, {"kind": "room"}, name="room-import-into"),
    path("imports/<uuid:pk>/", imports.import_detail, name="import"),
    path("imports/<uuid:pk>/design/", imports.import_design, name="import-design"),
    path("imports/<uuid:pk>/columns/", imports.import_mapping, name="import-mapping"),
    path("imports/<uuid:pk>/check/", imports.import_check, name="import-check"),
    path("imports/<uuid:pk>/apply/", imports.import_apply, name="import-apply"),
    path("imports/<uuid:pk>/refused.csv", imports.import_result, name="import-result"),
    path("imports/<uuid:pk>/undo/", imports.import_undo, name="import-undo"),
    path("imports/<uuid:pk>/read/", imports.import_read, name="import-read"),
    path("imports/<uuid:pk>/again/", imports.import_again, name="import-again"),
    path("imports/<uuid:pk>/go-on/", imports.import_go_on, name="import-go-on"),
    path("imports/<uuid:pk>/drop/", imports.import_drop, name="import-drop"),
]
