"""Tide's trail, kept by Pulse: a copy of its tables is laid beside Pulse's schema and copied from there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from audit.annexing import Origin, annex_begin, annex_drop, annex_some
from audit.models.annexed import Why
from audit.sealing import seal_everything
from tenants.explicit_ids import content_type_id
from tenants.models import Organisation
from tests import servers

STAGED = "t_annexed0000000staged"
TRAIL = ("audit_event", "audit_private", "audit_segment")
KEPT = tuple(f"audit_annexed_{name}" for name in ("trail", "event", "private", "segment", "key"))
GROUP = content_type_id("auth", "group")
LINK = content_type_id("identity", "user_groups")
PERSON = content_type_id("identity", "user")
# Numbers of groups: the one that came has another here, where its old one is another group's; the one that
# was deleted has no number here, and its old one is another group's as well.
CAME, HERE_NOW, DELETED = 7001, 7002, 7005
# Another trail that is kept: what one says of groups, with the same places in the order.
REEF = UUID("01a21eba-a145-7455-a4c3-8e860166d700")
_ACTOR = '{"kind": "system", "label": "Tide itself"}'
# Deleted again, so that other tests find Tide as it was; the trail remembers.
_DONE = f"""
INSERT INTO auth_group (id, name) VALUES ({CAME}, 'Sea crew'), ({DELETED}, 'Gone crew');
INSERT INTO identity_user_groups (id, user_id, group_id) SELECT {CAME}, id, {CAME} FROM identity_user;
DELETE FROM identity_user_groups WHERE id = {CAME};
DELETE FROM auth_group WHERE id IN ({CAME}, {DELETED});
"""
# Six rows of one statement, which are one entry.
MANY = 6
_MANY = f"""
INSERT INTO permissions_usergrant (user_id, permission_id, content_type_id, object_pk)
SELECT person.id, may.id, may.content_type_id, 'many ' || n FROM identity_user AS person,
    (SELECT * FROM auth_permission ORDER BY id LIMIT 1) AS may, generate_series(1, {MANY}) AS n;
"""
# Somebody who changed Dee's row, and was deleted long before anything was merged.
FAY = UUID("01a21eba-a145-7455-a4c3-8e860166d701")
_LEFT = f"""
INSERT INTO identity_user
    (id, email, name, password, is_active, is_superuser, is_staff, joined_at, session_version)
VALUES ('{FAY}', 'fay@tide.example', 'Fay Moore', '', true, false, false, now(), 1);
SELECT set_config('app.actor', '{{"kind": "person", "id": "{FAY}"}}', true);
UPDATE identity_user SET name = 'Dee of the sea' WHERE email = 'dee@tide.example';
UPDATE identity_user SET name = 'Dee Larsen' WHERE email = 'dee@tide.example';
DELETE FROM identity_user WHERE id = '{FAY}';
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was copied: whose trail, by whom it is kept, and who is the same person in both."""

    source: UUID
    owner: psycopg.Connection
    dee: UUID
    ada: UUID

    def rows(self, table: str) -> list[Any]:
        """Return the rows of a table of the trail as it is kept, without whose they are, in order."""
        names = columns(self.owner, table)
        query = f"SELECT {names}::text FROM audit_annexed_{table} WHERE source = %s"
        return sorted(self.owner.execute(_texts(query, names), [self.source]).fetchall())

    def came(self, table: str) -> list[Any]:
        """Return the rows of a table of the trail as it came."""
        names = columns(self.owner, table)
        query = f"SELECT {names}::text FROM {STAGED}.audit_{table}"
        return sorted(self.owner.execute(_texts(query, names)).fetchall())


def columns(owner: psycopg.Connection, table: str) -> str:
    """Return the columns of a table of the own trail."""
    found = owner.execute(
        "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [f"audit_{table}"],
    ).fetchone()
    assert found is not None
    return str(found[0])


def _texts(query: str, names: str) -> bytes:
    return query.replace(f"{names}::text", ", ".join(f"{one}::text" for one in names.split(", "))).encode()


@contextmanager
def kept_by(owner: psycopg.Connection, organisations: dict[str, Organisation]) -> Iterator[Kept]:
    """Let Pulse keep Tide's trail, sealed, as the merge would copy it; forget it afterwards."""
    pulse, tide = organisations["pulse"], organisations["tide"]
    with psycopg.connect(os.environ["OWNER_SHARD_2_DATABASE_URL"]) as theirs:
        _let_something_happen(theirs, tide)
        _stage(owner, theirs, tide)
        dee = _one(theirs, "SELECT id FROM identity_user WHERE email = 'dee@tide.example'")
    ada = _one(owner, "SELECT id FROM identity_user WHERE email = 'ada@pulse.example'")
    kept = Kept(tide.pk, owner, dee, ada)
    assert pulse.pk != kept.source
    try:
        _copy(kept)
        yield kept
    finally:
        for source in (kept.source, REEF):
            while annex_drop(owner.cursor(), source=source, most=1000):
                pass
        with _highest() as highest:
            highest.execute(f"DROP SCHEMA {STAGED} CASCADE")


def begin(kept: Kept) -> None:
    """Write down that Tide's trail is kept."""
    origin = Origin(kept.source, "Tide Sessions", "tide", {"at": "its end"})
    annex_begin(kept.owner.cursor(), origin=origin, why=Why.MERGE, is_whole=True)


def copy_all(kept: Kept, *, most: int) -> int:
    """Copy what is missing in turns of so many; return how many turns it took."""
    turns = 0
    while annex_some(kept.owner.cursor(), staged=STAGED, source=kept.source, most=most):
        turns += 1
    return turns


def _copy(kept: Kept) -> None:
    begin(kept)
    copy_all(kept, most=7)
    reef = Origin(REEF, "Reef Nights", "reef", {})
    annex_begin(kept.owner.cursor(), origin=reef, why=Why.SPLIT, is_whole=False)
    only = f"came.type_id = {GROUP}"
    while annex_some(kept.owner.cursor(), staged=STAGED, source=REEF, most=3, only=only):
        pass
    keys = [
        (PERSON, kept.dee, kept.ada),
        (GROUP, UUID(int=CAME), UUID(int=HERE_NOW)),
        # The same number of another table, and a group's old number that is given out again.
        (LINK, UUID(int=CAME), UUID(int=9001)),
        (LINK, UUID(int=DELETED), UUID(int=HERE_NOW)),
    ]
    for key in keys:
        kept.owner.execute("INSERT INTO audit_annexed_key VALUES (%s, %s, %s, %s)", [kept.source, *key])


def _let_something_happen(theirs: psycopg.Connection, tide: Organisation) -> None:
    schema = tide.placement().schema
    with psycopg.connect(os.environ["SHARD_2_DATABASE_URL"]) as inside:
        inside.execute(
            "SELECT set_config('role', %s, true), set_config('search_path', %s, true), "
            "set_config('app.actor', %s, true)",
            (schema, schema, _ACTOR),
        )
        inside.execute(_DONE.encode())
        inside.execute(
            "SELECT set_config('app.actor', json_build_object('kind', 'person', 'id', id)::text, true) "
            "FROM identity_user"
        )
        inside.execute(_MANY.encode())
        inside.execute(_LEFT.encode())
        inside.execute("DELETE FROM permissions_usergrant WHERE starts_with(object_pk, 'many ')")
    theirs.execute(f"SET search_path = {schema}, pg_temp")
    with theirs.cursor() as cursor:
        seal_everything(cursor, log_id=tide.pk)
    theirs.commit()


def _stage(owner: psycopg.Connection, theirs: psycopg.Connection, tide: Organisation) -> None:
    (live,) = owner.execute("SELECT current_schema()").fetchone() or ("",)
    with _highest() as highest:
        highest.execute(f"CREATE SCHEMA {STAGED}")
        for table in (*TRAIL, *KEPT):
            highest.execute(f"CREATE TABLE {STAGED}.{table} (LIKE {live}.{table} INCLUDING INDEXES)")
        highest.execute(f"GRANT USAGE ON SCHEMA {STAGED} TO enclave_owner")
        highest.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {STAGED} TO enclave_owner")
        for table in TRAIL:
            with (
                theirs.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as out,
                highest.cursor().copy(f"COPY {STAGED}.{table} FROM STDIN") as into,
            ):
                for part in out:
                    into.write(part)


def _highest() -> psycopg.Connection:
    assert servers.POSTGRES is not None
    return psycopg.connect(servers.POSTGRES.superuser_url("shard_1"))


def _one(connection: psycopg.Connection, query: str) -> UUID:
    found = connection.execute(query.encode()).fetchone()
    assert found is not None
    return UUID(str(found[0]))
