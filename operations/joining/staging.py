"""A copy of one organisation beside another one, and which of its rows is which there.

The copy is loaded from a bundle, wherever the two live, and brought to the same migrations. Then it is
decided, once, which of its people are people of the other, which numbers its rows get, and what is called
otherwise.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count

from django.db import models
from psycopg.types.json import Jsonb

from accounts import keys
from operations.joining.link import Link, column, opened
from operations.joining.problems import CannotJoin
from operations.joining.shape import Place, Table, of_row, tables
from operations.restoring import bundle, places
from operations.restoring.gently import resting
from operations.restoring.loaded import bring_to_template
from tenants.placement import Tenant
from tenants.schema import labels

_DECIDED = "which is which"
# By id first: who came from here once has the same one, whatever else was changed since.
_SAME = """
INSERT INTO enclave.joined_key (staged, type_id, old, new, was_here)
SELECT %(staged)s, %(kind)s, came."{key}"::text, here."{key}"::text, true
FROM {staged}."{table}" AS came JOIN {live}."{table}" AS here ON here."{key}" = came."{key}"
UNION
SELECT %(staged)s, %(kind)s, came."{key}"::text, here."{key}"::text, true
FROM {staged}."{table}" AS came JOIN {live}."{table}" AS here ON {same}
WHERE NOT EXISTS (SELECT FROM {live}."{table}" AS one WHERE one."{key}" = came."{key}")
"""
# Numbers are given out by the sequence, so that no two merges and no form give the same one.
_NUMBERS = """
INSERT INTO enclave.joined_key (staged, type_id, old, new, was_here)
SELECT %(staged)s, %(kind)s, r."{key}"::text,
    nextval(pg_get_serial_sequence('{live}."{table}"', '{key}'))::text, false
FROM {staged}."{table}" AS r
"""


@dataclass(frozen=True, slots=True)
class Both:
    """The two organisations: the one whose rows come, and the one that they come to."""

    comes: Tenant
    here: Tenant


def is_dropped(alias: str, staged: str) -> bool:
    """Return whether a copy of this name was there and is no more: no name is ever used again."""
    with opened(alias) as connection:
        query = "SELECT state = 'dropped' FROM enclave.issued WHERE schema_name = %s"
        row = connection.execute(query, [staged]).fetchone()
    return bool(row and row[0])


def load(both: Both, place: Place) -> bundle.Manifest:
    """Load a copy of the one beside the other, in place of an earlier try. Raises CannotJoin."""
    folder = places.folder() / "joining" / place.staged
    shutil.rmtree(folder, ignore_errors=True)
    try:
        source = places.owner_address(both.comes.alias)
        bundle.write(source, both.comes.schema, folder, labels=labels())
        with opened(both.here.alias) as connection:
            forget(connection, place.staged)
        manifest = bundle.load(places.owner_address(both.here.alias), folder, place.staged)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    with resting():
        bring_to_template(both.here.alias, place.staged)
    with opened(both.here.alias) as connection:
        versions = [
            column(connection, "SELECT enclave.version_of(%s, %s)", [schema, labels()])
            for schema in (place.staged, both.here.schema)
        ]
    if versions[0] != versions[1]:
        raise CannotJoin(f"{both.here.name} has not had its migrations yet.")
    return manifest


def decide(both: Both, place: Place) -> None:
    """Decide which rows are which, in one transaction; what was decided stays."""
    with opened(both.here.alias) as connection, connection.transaction():
        if is_done(connection, place.staged, _DECIDED):
            return
        for table in tables():
            if table.rule.same:
                query = _filled(_SAME, place, both.here.schema, table)
                connection.execute(query, {"staged": place.staged, "kind": table.type_id})
            if table.is_numbered:
                query = _filled(_NUMBERS, place, both.here.schema, table)
                connection.execute(query, {"staged": place.staged, "kind": table.type_id})
            for part, is_address in table.rule.names.items():
                _name(connection, table, part, is_address, both, place)
        _reseal(connection, both, place)
        note_done(connection, place.staged, _DECIDED)


def is_done(connection: Link, staged: str, step: str) -> bool:
    """Return whether a step with a copy has come to its end."""
    query = "SELECT is_done FROM enclave.joined_done WHERE staged = %s AND step = %s"
    row = connection.execute(query, [staged, step]).fetchone()
    return bool(row and row[0])


def note_done(connection: Link, staged: str, step: str) -> None:
    """Write down that a step with a copy has come to its end, in the transaction under way."""
    connection.execute(
        "INSERT INTO enclave.joined_done (staged, step, is_done) VALUES (%s, %s, true) "
        "ON CONFLICT (staged, step) DO UPDATE SET is_done = true",
        [staged, step],
    )


def forget(connection: Link, staged: str) -> None:
    """Forget what was decided for a copy."""
    for name in ("joined_key", "joined_name", "joined_done", "joined_pick"):
        connection.execute(f"DELETE FROM enclave.{name} WHERE staged = %s".encode(), [staged])


def drop(alias: str, staged: str) -> None:
    """Drop a copy and what was decided for it. May be repeated."""
    with opened(alias) as connection:
        forget(connection, staged)
    bundle.drop(places.owner_address(alias), staged)


def _filled(query: str, place: Place, live: str, table: Table) -> bytes:
    same = " = ".join(of_row(place.fill(table.rule.same), row) for row in ("here", "came"))
    names = {"table": table.name, "key": table.key, "same": same}
    return query.format(staged=place.staged, live=live, **names).encode()


def _name(connection: Link, table: Table, part: str, is_address: bool, both: Both, place: Place) -> None:
    """Find another name for rows that come and are called as something here is."""
    field = table.model._meta.get_field(part)
    longest = field.max_length if isinstance(field, models.CharField) else None
    here = connection.execute(f'SELECT lower("{part}") FROM {both.here.schema}."{table.name}"'.encode())
    taken = {str(name) for (name,) in here}
    conditions = [part for part in (table.rule.only, table.rule.named_where) if part] or ["true"]
    coming = connection.execute(
        f'SELECT "{table.key}"::text, "{part}" FROM {place.staged}."{table.name}" AS r '
        f"WHERE {' AND '.join(place.fill(part) for part in conditions)} ORDER BY 1".encode()
    ).fetchall()
    clashing = [(str(key), str(name)) for key, name in coming if str(name).lower() in taken]
    taken.update(str(name).lower() for _, name in coming)
    for key, name in clashing:
        said = free_name(name, taken, suffix="" if is_address else both.comes.name[:40], longest=longest)
        taken.add(said.lower())
        connection.execute(
            "INSERT INTO enclave.joined_name (staged, type_id, old, part, said) VALUES (%s, %s, %s, %s, %s)",
            [place.staged, table.type_id, key, part, said],
        )


def free_name(name: str, taken: set[str], *, suffix: str, longest: int | None) -> str:
    """Return a name that nothing has: with who it came from, or as an address with a number.

    `taken` are names in lower case; no name is longer than `longest`.
    """
    ends: Iterator[str] = (f"-{number}" for number in count(2))
    if suffix:
        ends = chain([f" ({suffix})"], (f" ({suffix} {number})" for number in count(2)))
    for end in ends:
        said = f"{name[: longest - len(end)]}{end}" if longest else f"{name}{end}"
        if said.lower() not in taken:
            return said
    raise AssertionError


def _reseal(connection: Link, both: Both, place: Place) -> None:
    """Encrypt secrets of second steps for the other organisation, in the copy."""
    rows = connection.execute(f"SELECT id, data FROM {place.staged}.mfa_authenticator".encode()).fetchall()
    for key, data in rows:
        connection.execute(
            f"UPDATE {place.staged}.mfa_authenticator SET data = %s WHERE id = %s".encode(),
            [Jsonb(_resealed(data, both)), key],
        )


def _resealed(value: object, both: Both) -> object:
    """Return a document with its encrypted texts encrypted anew; others stay as they are."""
    if isinstance(value, dict):
        return {name: _resealed(inner, both) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resealed(inner, both) for inner in value]
    if not isinstance(value, str):
        return value
    try:
        return keys.resealed(value, of=both.comes.id, to=both.here.id)
    except keys.Unreadable:
        return value
