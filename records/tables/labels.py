"""Names for what values refer to: people, records, files. Three queries for a page at most."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from accounts.identity.models import User
from permissions.holder import Holder
from permissions.policies import policy_for
from records.models import Collection, Record, RecordFile
from records.tables.columns import Column
from records.titles import title_in
from records.values import Canonical, FieldType


def name_references(
    values: Iterable[Mapping[str, Canonical]], columns: Sequence[Column], holder: Holder
) -> dict[str, str]:
    """Return names by id for the references in some rows; records only as far as the holder may see them."""
    wanted: dict[FieldType, set[UUID]] = {}
    references = [column for column in columns if column.type.is_reference]
    for row in values:
        for column in references:
            if found := _as_id(row.get(column.key)):
                wanted.setdefault(column.type, set()).add(found)
    return {
        **_people(wanted.get(FieldType.PERSON, set())),
        **_records(wanted.get(FieldType.RECORD, set()), holder),
        **_files(wanted.get(FieldType.FILE, set())),
    }


def _as_id(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _people(ids: set[UUID]) -> dict[str, str]:
    if not ids:
        return {}
    return {str(pk): name for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "name")}


def _records(ids: set[UUID], holder: Holder) -> dict[str, str]:
    if not ids:
        return {}
    rows = policy_for(Record).visible_to(holder, holder.at).filter(pk__in=ids)
    return title_records(list(rows))


def title_records(rows: Sequence[Record]) -> dict[str, str]:
    """Return what records are called, by id. Two queries, whatever the number and their collections."""
    collections = {
        collection.pk: collection
        for collection in Collection.objects.filter(
            pk__in={row.collection_id for row in rows}
        ).prefetch_related("fields")
    }
    specs = {pk: {spec.key: spec for spec in one.specs()} for pk, one in collections.items()}
    found: dict[str, str] = {}
    for row in rows:
        if row.collection_id in collections:
            row.collection = collections[row.collection_id]
            found[str(row.pk)] = title_in(row, specs[row.collection_id])
    return found


def _files(ids: set[UUID]) -> dict[str, str]:
    if not ids:
        return {}
    rows = RecordFile.objects.filter(pk__in=ids, deleted_at=None)
    return {str(pk): name for pk, name in rows.values_list("pk", "name")}
