"""Many records at once: those picked, or all that a search and filters leave.

Up to 1,000 are changed in the request; more by a job, in chunks, walking by key, so that a record
that falls out of the filter by being changed is not met again, nor is the next one skipped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func

from accounts.identity.models import User
from audit.actions import events
from jobs.actions import enqueue
from permissions import perms
from records import finding
from records.actions import checking
from records.actions.done import Done, keep, some
from records.actions.refusals import CannotDesign, Gone, Invalid
from records.models import Collection, Record
from records.tables import CollectionTable, TableQuery
from records.tables.columns import to_canonical
from records.tables.expressions import EXACT, Without, json_literal, plain_text
from records.values import Canonical, FieldType, compile_validator

AT_ONCE = 1_000
KIND = "records.bulk"


class _Joined(Func):
    """`a || b`: the values of a with those of b over them."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = EXACT


@dataclass(frozen=True, slots=True)
class Which:
    """Which records: those picked (`ids`), or all that `query` leaves."""

    query: TableQuery | None = None
    ids: Sequence[UUID] = ()


def change(
    *, table: CollectionTable, which: Which, values: Mapping[str, object], by: User, at: datetime
) -> Done:
    """Give many records the same values; None or "" empties a field.

    Only records that the person may change are changed. Raises Invalid, CannotDesign for a unique
    field, Gone when no record is left.
    """
    clean = checked_values(table, values)
    if _count(table, which, perms.RECORDS_CHANGE) > AT_ONCE:
        return _as_job(table, which, verb="change", values=values, by=by)
    ids = list(_matching(table, which, perms.RECORDS_CHANGE).values_list("pk", flat=True))
    token, count = change_some(table.collection, ids, clean, by=by.pk, at=at)
    if not count:
        raise Gone
    _tell("records.changed_many", table.collection, count)
    return Done(f"{some(count)} changed", count=count, undo=token)


def move_to_bin(*, table: CollectionTable, which: Which, by: User, at: datetime) -> Done:
    """Move many records to the bin: those that the person may delete. Raises Gone when there are none."""
    if _count(table, which, perms.RECORDS_DELETE) > AT_ONCE:
        return _as_job(table, which, verb="bin", values={}, by=by)
    ids = list(_matching(table, which, perms.RECORDS_DELETE).values_list("pk", flat=True))
    token, count = bin_some(table.collection, ids, by=by.pk, at=at)
    if not count:
        raise Gone
    _tell("records.binned", table.collection, count)
    return Done(f"{some(count)} moved to the bin", count=count, undo=token)


def checked_values(table: CollectionTable, values: Mapping[str, object]) -> dict[str, Canonical | None]:
    """Return what is to be kept, None for what is to be emptied. Raises Invalid, CannotDesign."""
    finding.load_design(table.collection)
    validator = compile_validator(list(table.specs.values()), zone=table.zone)
    kept, errors = validator.merge({}, values)
    errors |= {key: "You cannot change this field." for key in values if key in table.hidden}
    errors |= checking.broken_links(list(table.specs.values()), kept, record=None)
    if errors:
        raise Invalid(errors)
    for key in values:
        if table.specs[key].unique:
            raise CannotDesign(f"{table.specs[key].name} is different for each record.")
    return {key: kept.get(key) for key in values}


def change_some(
    collection: Collection,
    ids: Sequence[UUID],
    clean: Mapping[str, Canonical | None],
    *,
    by: UUID | None,
    at: datetime,
    token: str = "",
) -> tuple[str, int]:
    """Give the records the same values in one statement; return the token of undoing and how many."""
    with transaction.atomic():
        rows = Record.objects.select_for_update(of=("self",)).live().filter(collection=collection, pk__in=ids)
        old = [
            [str(pk), {key: values.get(key) for key in clean}, dict(clean)]
            for pk, values in rows.order_by("pk").values_list("pk", "values")
        ]
        if not old:
            return token, 0
        emptied = ",".join(sorted(key for key, value in clean.items() if value is None))
        filled = {key: value for key, value in clean.items() if value is not None}
        count = Record.objects.filter(pk__in=[pk for pk, _, _ in old]).update(
            values=_Joined(Without(F("values"), plain_text("{" + emptied + "}")), json_literal(filled)),
            version=F("version") + 1,
            updated_at=at,
            updated_by=by,
        )
        return keep("change", {"changes": old}, collection=collection, by=by, at=at, token=token), count


def bin_some(
    collection: Collection, ids: Sequence[UUID], *, by: UUID | None, at: datetime, token: str = ""
) -> tuple[str, int]:
    """Move the records to the bin; return the token of undoing and how many there were."""
    rows = Record.objects.live().filter(collection=collection, pk__in=ids)
    count = rows.update(deleted_at=at, updated_at=at, updated_by=by, version=F("version") + 1)
    if not count:
        return token, 0
    payload = {"ids": [str(pk) for pk in ids], "at": at.isoformat()}
    return keep("bin", payload, collection=collection, by=by, at=at, token=token), count


def _matching(table: CollectionTable, which: Which, perm: str) -> Any:
    if which.query is not None:
        return table.matching(which.query, to=perm)
    return table.rows(to=perm).filter(pk__in=list(which.ids)[: AT_ONCE + 1])


def _count(table: CollectionTable, which: Which, perm: str) -> int:
    return int(_matching(table, which, perm).order_by()[: AT_ONCE + 1].count())


def _tell(code: str, collection: Collection, count: int) -> None:
    events.record(code, target=collection, details={"count": count, "collection": collection.name})


def _as_job(
    table: CollectionTable, which: Which, *, verb: str, values: Mapping[str, object], by: User
) -> Done:
    if which.query is None:
        raise CannotDesign(f"Pick at most {AT_ONCE:,} records, or use a filter.")
    words = {"change": "Change", "bin": "Move to the bin"}[verb]
    job = enqueue(
        KIND,
        payload={
            "collection": str(table.collection.pk),
            "query": which.query.first_page().encode(),
            "verb": verb,
            "values": {key: _plain(value) for key, value in values.items()},
            "by": str(by.pk),
            "zone": str(table.zone),
        },
        label=f"{words}: records of {table.title}",
        by=by,
    )
    return Done("Under way", count=0, job=job.pk)


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | bool | list):
        return value
    return str(to_canonical(FieldType.TEXT, value))
