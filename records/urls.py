"""Addresses of collections and rooms: /c/<key>/… and /rooms/<key>/… are the same views."""

from collections.abc import Iterator
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from records.views import answers, bins, bulk, fields, files, filters, listing, records, saved

app_name = "records"

# Short name of a page, its address below the table, its view.
_PAGES = (
    ("list", "", listing.record_list),
    ("filter", "filter/", filters.filter_edit),
    ("columns", "columns/", filters.columns_edit),
    ("find", "find/<slug:field>/", fields.find),
    ("view-new", "views/new/", saved.view_new),
    ("view-edit", "views/<uuid:view>/", saved.view_edit),
    ("view-update", "views/<uuid:view>/update/", saved.view_update),
    ("view-remove", "views/<uuid:view>/remove/", saved.view_remove),
    ("bulk-change", "bulk/change/", bulk.bulk_change),
    ("bulk-value", "bulk/value/", bulk.bulk_value),
    ("bulk-bin", "bulk/bin/", bulk.bulk_bin),
    ("bin", "bin/", bins.bin_list),
    ("bin-restore", "bin/restore/", bins.bin_restore),
    ("bin-purge", "bin/purge/", bins.bin_purge),
    ("new", "new/", records.record_new),
    ("record", "r/<uuid:pk>/", records.record),
    ("history", "r/<uuid:pk>/history/", records.record_history),
    ("record-edit", "r/<uuid:pk>/edit/", records.record_edit),
    ("field-edit", "r/<uuid:pk>/edit/<slug:field>/", fields.field_edit),
    ("file-attach", "r/<uuid:pk>/files/", files.file_attach),
    ("file", "r/<uuid:pk>/files/<uuid:file>/", files.file_open),
    ("file-remove", "r/<uuid:pk>/files/<uuid:file>/remove/", files.file_remove),
    ("file-back", "r/<uuid:pk>/files/<uuid:file>/back/", files.file_back),
    ("record-bin", "r/<uuid:pk>/bin/", records.record_bin),
)


def _tables() -> Iterator[URLPattern]:
    for start, kind, prefix in (("c", "collection", ""), ("rooms", "room", "room-")):
        for name, rest, view in _PAGES:
            yield path(f"{start}/<slug:key>/{rest}", view, {"kind": kind}, name=f"{prefix}{name}")


def _others() -> Iterator[URLResolver]:
    for module in ("records.urls_design", "records.urls_imports"):
        if find_spec(module):
            yield path("", include(module))


urlpatterns: list[URLPattern | URLResolver] = [
    *_others(),
    path("r/<uuid:pk>/", records.anywhere, name="anywhere"),
    path("undo/<uuid:token>/", answers.take_back, name="undo"),
    *_tables(),
]
