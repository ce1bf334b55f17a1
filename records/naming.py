"""How the trail calls collections, records and their fields."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from audit.labels import Named, describe
from records.models import Collection, Field, Record, RecordFile, SavedView
from records.tables.labels import title_records

_VALUE = "values."


def _collections(ids: list[UUID]) -> Mapping[UUID, Named]:
    rows = Collection.objects.filter(pk__in=ids)
    return {row.pk: Named("collection", row.name, _address("list", row.key)) for row in rows}


def _records(ids: list[UUID]) -> Mapping[UUID, Named]:
    rows = list(Record.objects.filter(pk__in=ids))
    titles = title_records(rows)
    return {
        row.pk: Named("record", titles.get(str(row.pk), "Untitled"), _address("anywhere", row.pk))
        for row in rows
    }


def _fields(ids: list[UUID]) -> Mapping[UUID, Named]:
    return {row.pk: Named("field", row.name) for row in Field.objects.filter(pk__in=ids)}


def _files(ids: list[UUID]) -> Mapping[UUID, Named]:
    rows = RecordFile.objects.filter(pk__in=ids)
    return {row.pk: Named("file", row.name, _address("anywhere", row.record_id)) for row in rows}


def _views(ids: list[UUID]) -> Mapping[UUID, Named]:
    return {row.pk: Named("view", row.name) for row in SavedView.objects.filter(pk__in=ids)}


def _address(name: str, *args: object) -> str:
    # Named, because the trail is also written out by workers, which answer on no host.
    return reverse(f"records:{name}", args=args, urlconf=settings.URLCONF_TENANT)


def _values(names: Iterable[str]) -> Mapping[str, str]:
    """Return what the keys of values are called; keys are drawn by lot, so two fields rarely share one."""
    keys = {name.removeprefix(_VALUE): name for name in names if name.startswith(_VALUE)}
    if not keys:
        return {}
    rows = Field.objects.filter(key__in=keys).order_by("-deleted_at", "pk").values_list("key", "name")
    return {keys[key]: name for key, name in rows}


def install() -> None:
    """Tell the trail; called when the app is ready."""
    describe(Collection, objects=_collections)
    describe(Record, objects=_records, fields=_values)
    describe(Field, objects=_fields)
    describe(RecordFile, objects=_files)
    describe(SavedView, objects=_views)
