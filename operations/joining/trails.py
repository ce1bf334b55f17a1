"""The trail of the organisation whose rows came, attached to the one that they came to: whole and as it was."""

from typing import Any

from audit import annexing
from operations.joining.carrying import Step, work_off
from operations.joining.link import Link, inside, opened
from operations.joining.shape import Place, tables
from operations.joining.staging import Both, is_done, note_done
from operations.restoring import swapping

_SAID = "attached and said"
# Whoever was named by one id is named by another one here: people who were in both, and everything with a number.
_KEYS = """
INSERT INTO audit_annexed_key (source, type_id, old, new)
SELECT %(source)s, k.type_id, {old}, {new} FROM enclave.joined_key AS k
WHERE k.staged = %(staged)s AND k.type_id = %(kind)s AND k.old <> k.new
ON CONFLICT DO NOTHING
"""


def attach(both: Both, place: Place, *, why: str, by: str, details: dict[str, Any]) -> dict[str, Any]:
    """Attach the copy's trail, from wherever it stands, and say so in the other one; return its end."""
    with opened(both.here.alias) as connection:
        head = swapping.head_of(connection, place.staged)
        with inside(connection, both.here.schema, by=by):
            annexing.annex_begin(
                connection,
                source=both.comes.id,
                name=both.comes.name,
                slug=both.comes.slug,
                why=why,
                is_whole=True,
                head=head,
            )
            _note_keys(connection, both, place)

        def some(link: Link, after: str, most: int) -> tuple[str, int]:
            count = annexing.annex_some(link, staged=place.staged, source=both.comes.id, most=most)
            return ("on" if count else ""), count

        work_off(connection, both, place, Step("attach the trail", some), by=by, tell=_silently)
        with inside(connection, both.here.schema, by=by):
            if not is_done(connection, place.staged, _SAID):
                told = {**details, "name": both.comes.name, "trail": head}
                swapping.record(connection, both.here.schema, "organisation.absorbed", told)
                note_done(connection, place.staged, _SAID)
    return head


def detach(both: Both, place: Place, *, by: str, details: dict[str, Any]) -> None:
    """Take the attached trail away again: the organisation that it is of is there again itself."""
    with opened(both.here.alias) as connection:

        def some(link: Link, after: str, most: int) -> tuple[str, int]:
            count = annexing.annex_drop(link, source=both.comes.id, most=most)
            return ("on" if count else ""), count

        work_off(connection, both, place, Step("detach the trail", some), by=by, tell=_silently)
        with inside(connection, both.here.schema, by=by):
            if not is_done(connection, place.staged, f"not {_SAID}"):
                told = {**details, "name": both.comes.name}
                swapping.record(connection, both.here.schema, "organisation.absorbing_undone", told)
                note_done(connection, place.staged, f"not {_SAID}")


def _note_keys(connection: Link, both: Both, place: Place) -> None:
    for table in tables():
        # As the trail writes keys that are numbers (audit_key).
        written = "lpad(to_hex(k.{}::bigint), 32, '0')::uuid" if table.is_numbered else "k.{}::uuid"
        query = _KEYS.format(old=written.format("old"), new=written.format("new"))
        values = {"source": both.comes.id, "staged": place.staged, "kind": table.type_id}
        connection.execute(query.encode(), values)


def _silently(step: str, rows: int) -> None:
    return None
