"""The few statements of this room that Django's expressions cannot say. People's text is in parameters."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connections

from records.models import Collection, Field
from records.values import Canonical, dumps
from tenants import functions
from tenants.context import required

_COPY = (
    'COPY records_record (collection_id, "values", import_id, created_by, updated_by, created_at, '
    "updated_at) FROM STDIN"
)
_SET_VALUES = """
UPDATE records_record r
SET "values" = n.document::jsonb, version = r.version + 1, updated_at = %s, updated_by = %s
FROM unnest(%s::uuid[], %s::text[]) AS n(id, document)
WHERE r.id = n.id
"""
_TAKEN = """
SELECT asked.place FROM unnest(%s::jsonb[]) WITH ORDINALITY AS asked(value, place)
JOIN records_uniquevalue u ON u.field_id = %s AND u.digest = records_digest@(asked.value)
WHERE u.record_id IS DISTINCT FROM %s
"""
_HOLDERS = """
SELECT asked.text, u.record_id FROM unnest(%s::text[]) AS asked(text)
JOIN records_uniquevalue u ON u.field_id = %s AND u.digest = records_digest@(to_jsonb(asked.text))
"""
_FILL_UNIQUE = """
INSERT INTO records_uniquevalue (field_id, digest, record_id)
SELECT %s, records_digest@("values" -> %s), id FROM records_record
WHERE collection_id = %s AND deleted_at IS NULL AND "values" ? %s
ON CONFLICT DO NOTHING
"""
_REPEATED = """
SELECT count(*) FROM (
    SELECT records_digest@("values" -> %s) FROM records_record
    WHERE collection_id = %s AND deleted_at IS NULL AND "values" ? %s
    GROUP BY 1 HAVING count(*) > 1
) AS repeated
"""


def copy_records(
    collection: Collection,
    documents: Iterable[bytes],
    *,
    import_id: UUID | None,
    by: UUID | None,
    at: datetime,
) -> int:
    """COPY documents of values into a collection and return how many. See actions.loading."""
    stamp = at.isoformat().encode()
    person = str(by).encode() if by else rb"\N"
    head = str(collection.pk).encode() + b"\t"
    tail = b"\t" + (str(import_id).encode() if import_id else rb"\N")
    tail += b"\t" + person + b"\t" + person + b"\t" + stamp + b"\t" + stamp + b"\n"
    count, pending, size = 0, bytearray(), 1 << 18
    connection = connections[required().alias]
    with connection.cursor() as cursor:
        # The triggers read the new rows several times: a spill to disk costs a tenth of an import.
        cursor.execute("SELECT set_config('work_mem', '64MB', true)")
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for document in documents:
            # JSON has no raw tabs or line ends; only its backslashes mean something to COPY.
            pending += head + document.replace(b"\\", b"\\\\") + tail
            count += 1
            if len(pending) >= size:
                copy.write(bytes(pending))
                pending.clear()
        if pending:
            copy.write(bytes(pending))
    return count


def fresh_keys(count: int) -> list[UUID]:
    """Return keys in the order of time, for rows that must be known before they are there."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute("SELECT uuidv7() FROM generate_series(1, %s)", (count,))
        return [key for (key,) in cursor.fetchall()]


def set_values(documents: Sequence[tuple[UUID, object]], *, by: UUID | None, at: datetime) -> int:
    """Replace the values of many records, each by its own, in one statement. Return how many there were."""
    ids = [str(pk) for pk, _ in documents]
    texts = [dumps(values).decode() for _, values in documents]
    with connections[required().alias].cursor() as cursor:
        cursor.execute(_SET_VALUES, (at, by, ids, texts))
        return int(cursor.rowcount)


def taken_places(field: Field, values: Sequence[Canonical], *, besides: UUID | None = None) -> list[int]:
    """Return the places (from 0) of values that another live record has in a unique field."""
    with connections[required().alias].cursor() as cursor:
        texts = [dumps(value).decode() for value in values]
        cursor.execute(_written(_TAKEN), (texts, field.pk, besides))
        return sorted(int(place) - 1 for (place,) in cursor.fetchall())


def unique_holders(field: Field, texts: Sequence[str]) -> dict[str, UUID]:
    """Return which live record has which of some texts in a unique field; others are left out."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(_written(_HOLDERS), (list(texts), field.pk))
        return dict(cursor.fetchall())


def fill_unique(field: Field) -> None:
    """Note down what is taken in a field that became unique."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(_written(_FILL_UNIQUE), (field.pk, field.key, field.collection_id, field.key))


def repeated_values(field: Field) -> int:
    """Return how many values of a field several live records share."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(_written(_REPEATED), (field.key, field.collection_id, field.key))
        return int(cursor.fetchone()[0])


def hold_records() -> None:
    """Let nobody else change records until the end of the transaction; reading goes on.

    For making a field unique: what another transaction is just writing would otherwise be overlooked.
    """
    with connections[required().alias].cursor() as cursor:
        cursor.execute("LOCK TABLE records_record IN SHARE ROW EXCLUSIVE MODE")


def limit_statements(seconds: float) -> None:
    """End every statement of this transaction that takes longer."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true)", (f"{max(1, int(seconds * 1000))}ms",)
        )


def _written(statement: str) -> str:
    """Return a statement with the names of functions as they are in this organisation's schema."""
    return functions.written(statement, required().schema)
