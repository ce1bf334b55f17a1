"""Addresses of the pages on which collections are made and designed; part of records.urls."""

from django.urls import URLPattern, path

from records.views import collections, design, design_fields, field_bin

# The views find their collection as those of its records do.
_KIND = {"kind": "collection"}

urlpatterns: list[URLPattern] = [
    path("collections/new/", collections.collection_new, name="collection-new"),
    path("collections/bin/", collections.collection_bin, name="collection-bin"),
    path("collections/bin/<uuid:pk>/restore/", collections.collection_restore, name="collection-restore"),
    path("c/<slug:key>/settings/", collections.collection_settings, _KIND, name="collection-settings"),
    path("c/<slug:key>/settings/bin/", collections.collection_remove, _KIND, name="collection-remove"),
    path("c/<slug:key>/design/", design.collection_design, _KIND, name="collection-design"),
    path("c/<slug:key>/design/order/", design.collection_order, _KIND, name="collection-order"),
    path("c/<slug:key>/design/shown/", design.collection_shown, _KIND, name="collection-shown"),
    path("c/<slug:key>/design/add/", design_fields.field_new, _KIND, name="field-new"),
    path("c/<slug:key>/design/f/<slug:field>/", design_fields.field_design, _KIND, name="field-design"),
    path("c/<slug:key>/design/f/<slug:field>/quick/", design_fields.field_quick, _KIND, name="field-quick"),
    path("c/<slug:key>/design/f/<slug:field>/remove/", field_bin.field_remove, _KIND, name="field-remove"),
    path("c/<slug:key>/design/f/<slug:field>/restore/", field_bin.field_restore, _KIND, name="field-restore"),
]
