"""The trail of the organisation that rows came from, kept by the one that they came to.

Whole and as it was, with its seals, where the one became a part of the other; an excerpt, about what came,
where it was split.
"""

from typing import Any
from uuid import UUID

from audit import annexing
from audit.annexing import Origin
from audit.models import Why
from operations.joining.carrying import Step, work_off
from operations.joining.link import Link, column, inside, opened
from operations.joining.shape import Place, Table, owners, rows_of, tables, tables_of
from operations.joining.staging import Both, is_done, note_done
from operations.restoring import swapping
from records.models import Collection, RecordFile
from tenants.joining import rule_of

_SAID = "attached and said"
# Whoever had one id has another one here: people who were in both, and everything with a number. Also where
# that is the same: a number without a key is of something that did not come (audit.translating).
_KEYS = """
INSERT INTO audit_annexed_key (source, type_id, old, new)
SELECT %(source)s, k.type_id, {old}, {new} FROM enclave.joined_key AS k
WHERE k.staged = %(staged)s AND k.type_id = %(kind)s AND (k.old <> k.new OR %(numbered)s)
ON CONFLICT DO NOTHING
"""
# Whoever another one had brought there has another id since; a number that did not come along means nothing.
_LOST = """
DELETE FROM audit_annexed_key AS kept
WHERE kept.source = %(source)s AND kept.type_id = %(kind)s AND NOT EXISTS (
    SELECT FROM enclave.joined_key AS k
    WHERE k.staged = %(staged)s AND k.type_id = %(kind)s AND kept.new = {old}
)
"""
_KEYS_SINCE = """
UPDATE audit_annexed_key AS kept SET new = {new} FROM enclave.joined_key AS k
WHERE kept.source = %(source)s AND kept.type_id = %(kind)s AND kept.new = {old} AND k.old <> k.new
    AND k.staged = %(staged)s AND k.type_id = %(kind)s
"""


def attach(both: Both, place: Place, *, by: str, details: dict[str, Any]) -> dict[str, Any]:
    """Attach the copy's trail, from wherever it stands, and say so in the other one; return its end."""
    return _attach(both, place, Why.MERGE, "organisation.absorbed", by, details, only="")


def attach_excerpt(both: Both, place: Place, *, by: str, details: dict[str, Any]) -> dict[str, Any]:
    """Attach what the copy's trail says of what came, and say so in the other one; return its end."""
    only = " OR ".join(
        f'came.type_id = {table.type_id} AND came.object_id IN (SELECT "{table.key}" FROM '
        f"({rows_of(table, place)}) AS rows)"
        for table in _about_collections()
    )
    return _attach(both, place, Why.SPLIT, "organisation.split_off", by, details, only=only)


def files_going(place: Place) -> str:
    """Return the query of the files that come."""
    return rows_of(Table(RecordFile, rule_of(RecordFile)), place)


def _attach(
    both: Both, place: Place, why: Why, code: str, by: str, details: dict[str, Any], *, only: str
) -> dict[str, Any]:
    source = both.comes.id
    with opened(both.here.alias) as connection:
        head = swapping.head_of(connection, place.staged)
        with inside(connection, both.here.schema, by=by):
            origin = Origin(source, both.comes.name, both.comes.slug, head)
            annexing.annex_begin(connection, origin=origin, why=why, is_whole=not only)
            _note_keys(connection, place, source)

        def some(link: Link, after: str, most: int) -> tuple[str, int]:
            count = annexing.annex_some(link, staged=place.staged, source=source, most=most, only=only)
            return ("on" if count else ""), count

        work_off(connection, both, place, Step("attach the trail", some), by=by, tell=_silently)
        with inside(connection, both.here.schema, by=by):
            if not is_done(connection, place.staged, _SAID):
                passed_on = [] if only else _kept_there(connection, place)
                annexing.hold_off_erasures(connection)
                for third in passed_on:
                    _renew_keys(connection, place, third)
                for one in (source, *passed_on):
                    annexing.drop_erased(connection, source=one)
                told = {**details, "trail": head}
                swapping.record(connection, both.here.schema, code, told)
                note_done(connection, place.staged, _SAID)
    return head


def detach(both: Both, place: Place, *, by: str, details: dict[str, Any]) -> None:
    """Take the attached trail away again: the organisation that it is of is there again itself."""
    with opened(both.here.alias) as connection:
        for source in (both.comes.id, *_kept_there(connection, place)):

            def some(link: Link, after: str, most: int, source: UUID = source) -> tuple[str, int]:
                count = annexing.annex_drop(link, source=source, most=most)
                return ("on" if count else ""), count

            step = Step(f"detach the trail of {source}", some)
            work_off(connection, both, place, step, by=by, tell=_silently)
        with inside(connection, both.here.schema, by=by):
            if not is_done(connection, place.staged, f"not {_SAID}"):
                swapping.record(connection, both.here.schema, "organisation.absorbing_undone", details)
                note_done(connection, place.staged, f"not {_SAID}")


def _about_collections() -> list[Table]:
    """Return the tables whose rows belong to collections, and collections."""
    return [table for table in tables() if not table.is_numbered and _leads_to_collections(table)]


def _leads_to_collections(table: Table) -> bool:
    above = [one for _, parent in owners(table.model) for one in tables_of(parent)]
    return table.model is Collection or any(_leads_to_collections(one) for one in above)


def _kept_there(connection: Link, place: Place) -> list[UUID]:
    """Return whose trails the one had that came, beside its own."""
    query = f"SELECT source::text FROM {place.staged}.audit_annexed_trail ORDER BY source"
    return [UUID(str(source)) for source in column(connection, query)]


def _note_keys(connection: Link, place: Place, source: UUID) -> None:
    """Write down who and what of the one that came has which id here. May be repeated."""
    for table in tables():
        _for_keys(connection, place, source, table, _KEYS)


def _renew_keys(connection: Link, place: Place, source: UUID) -> None:
    """Write down the ids that a third one's people and things have here. Once: it maps ids of ids."""
    for table in tables():
        if table.is_numbered:
            # Numbers of the third one are known by its own keys alone.
            _for_keys(connection, place, source, table, _LOST, _KEYS_SINCE)
        else:
            _for_keys(connection, place, source, table, _KEYS_SINCE, _KEYS)


def _for_keys(connection: Link, place: Place, source: UUID, table: Table, *queries: str) -> None:
    # As the trail writes keys that are numbers (audit_key).
    written = "lpad(to_hex(k.{}::bigint), 32, '0')::uuid" if table.is_numbered else "k.{}::uuid"
    names = {"old": written.format("old"), "new": written.format("new")}
    values = {
        "source": source,
        "staged": place.staged,
        "kind": table.type_id,
        "numbered": table.is_numbered,
    }
    for query in queries:
        connection.execute(query.format(**names).encode(), values)


def _silently(step: str, rows: int) -> None:
    return None
