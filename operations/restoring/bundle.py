"""A bundle: one organisation's schema in a folder, read in one snapshot, with a digest of every table.

    manifest.json    format, schema, version, time, epoch, counts and digests, sequences
    before.sql       what must be there before the rows: types, tables, functions
    tables/NAME      the rows of one table, as COPY writes them as text
    after.sql        what comes after them: keys, indexes, triggers

The schema's name is a generated identifier that occurs nowhere else, so it is replaced in the two texts.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson
import psycopg
from psycopg import sql

from operations.restoring.gently import gently, resting
from tenants.names import checked_schema_name
from tenants.schema import find_tool

FORMAT = 1
# What of a replaced schema is kept for good. Not the private parts of entries: those can be erased.
TRAIL = (
    *("audit_epoch", "audit_event", "audit_segment"),
    *("audit_annexed_trail", "audit_annexed_event", "audit_annexed_segment", "audit_annexed_key"),
)
# A transaction that writes for long holds up the seals of every organisation of the server.
CHUNK_BYTES = 8 * 1024 * 1024
_PINNED = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; "
    "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET search_path = ''; "
    "SET statement_timeout = 0; SET client_encoding = 'UTF8'"
)
# What was loaded counts from the exchange on, whose commit waits for the disk and for all before it.
_LOADING = (
    "; SET check_function_bodies = off; SET client_min_messages = warning; SET synchronous_commit = off"
)


class Differs(RuntimeError):
    """What was loaded is not what was read; says which tables."""


@dataclass
class Manifest:
    """What a bundle says of itself. `tables` has for each table its columns, rows and digest.

    `is_part` says that it has some tables only: it can be read, and no organisation comes back from it.
    """

    schema: str
    version: str
    taken_at: str
    epoch: int
    tables: dict[str, dict[str, object]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    format: int = FORMAT
    is_part: bool = False

    @property
    def rows(self) -> int:
        """Return how many rows all tables have."""
        return sum(int(str(table["rows"])) for table in self.tables.values())


def read_manifest(folder: Path) -> Manifest:
    """Read a bundle's manifest; raises Differs where this is none that we can read."""
    try:
        manifest = Manifest(**orjson.loads((folder / "manifest.json").read_bytes()))
    except (OSError, ValueError, TypeError) as problem:
        raise Differs(f"{folder} is no bundle: {problem}") from problem
    if manifest.format != FORMAT:
        raise Differs(f"{folder} is a bundle of format {manifest.format}, and this reads {FORMAT}.")
    checked_schema_name(manifest.schema)
    return manifest


def write(
    address: str, schema: str, folder: Path, *, labels: list[str], only: tuple[str, ...] = ()
) -> Manifest:
    """Write the bundle of a schema into a new folder, in one snapshot. The manifest is written last.

    With `only` these tables alone, for whoever wants to read them later.
    """
    checked_schema_name(schema)
    (folder / "tables").mkdir(mode=0o700, parents=True)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_PINNED)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # A server that recovers stands still, and may not export a snapshot.
        (standby,) = _row(connection, "SELECT pg_is_in_recovery()")
        snapshot = None if standby else str(_row(connection, "SELECT pg_export_snapshot()")[0])
        (version,) = _row(connection, "SELECT enclave.version_of(%s, %s)", [schema, labels])
        (epoch,) = _row(connection, f"SELECT max(epoch) FROM {schema}.audit_epoch")
        manifest = Manifest(schema, str(version), datetime.now(UTC).isoformat(), int(str(epoch)))
        _write_structure(address, schema, folder, snapshot, only)
        manifest.is_part = bool(only)
        manifest.tables = digests(connection, schema, only)
        for table, about in manifest.tables.items():
            _copy_out(connection, schema, table, about["columns"], folder / "tables" / table)
        manifest.sequences = {} if only else _sequences(connection, schema)
        connection.execute("COMMIT")
    said = asdict(manifest)
    if not only:
        del said["is_part"]  # the release before reads whole bundles, and does not know the word
    (folder / "manifest.json").write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))
    return manifest


def load(address: str, folder: Path, schema: str) -> Manifest:
    """Load a bundle as `schema`, in place of an earlier try; raises Differs unless it is the same then."""
    manifest = read_manifest(folder)
    checked_schema_name(schema)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_PINNED + _LOADING)
        connection.execute("SELECT enclave.begin_loading(%s)", [schema])
        for entry in _entries(_text(folder / "before.sql", manifest.schema, schema)):
            with resting():
                connection.execute(entry)
        for table, about in manifest.tables.items():
            _copy_in(connection, schema, table, about["columns"], folder / "tables" / table)
        for sequence, value in manifest.sequences.items():
            connection.execute(
                "SELECT setval(format('%%I.%%I', %s::text, %s::text)::regclass, %s)",
                [schema, sequence, value],
            )
        for entry in _entries(_text(folder / "after.sql", manifest.schema, schema)):
            with resting():
                connection.execute(entry)
        with resting():
            compare(manifest, digests(connection, schema))
        for table in manifest.tables:
            with resting():
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table)))
    return manifest


def drop(address: str, schema: str) -> None:
    """Drop a schema that was loaded or kept, table by table for the same reason. May be repeated."""
    checked_schema_name(schema)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning; SET synchronous_commit = off")
        query = "SELECT FROM enclave.issued WHERE schema_name = %s AND state IN ('loading', 'kept')"
        if connection.execute(query, [schema]).fetchone() is None:
            return
        for table, _ in _tables(connection, schema):
            with resting():
                connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(schema, table)))
        connection.execute("SET synchronous_commit = on")
        connection.execute("SELECT enclave.drop_kept(%s)", [schema])


def compare(manifest: Manifest, found: dict[str, dict[str, object]]) -> None:
    """Raise Differs unless every table has the same columns, rows and digest."""
    differing = sorted(
        table
        for table in manifest.tables.keys() | found.keys()
        if manifest.tables.get(table) != found.get(table)
    )
    if differing:
        raise Differs(f"These tables are not what was read: {', '.join(differing)}.")


def digests(
    connection: psycopg.Connection, schema: str, only: tuple[str, ...] = ()
) -> dict[str, dict[str, object]]:
    """Return columns, rows and digest of each table; the order of rows does not count."""
    found: dict[str, dict[str, object]] = {}
    for table, columns in _tables(connection, schema):
        if only and table not in only:
            continue
        rows, digest = _row(
            connection,
            sql.SQL(
                "SELECT count(*), md5(concat_ws(',', sum(('x' || left(h, 16))::bit(64)::bigint::numeric), "
                "sum(('x' || right(h, 16))::bit(64)::bigint::numeric))) "
                "FROM (SELECT md5(t::text) AS h FROM {} AS t) AS hashes"
            ).format(sql.Identifier(schema, table)),
        )
        found[table] = {"columns": columns, "rows": rows, "digest": digest}
    return found


def pinned(address: str) -> psycopg.Connection:
    """Return a connection that writes values as digests need them."""
    connection = psycopg.connect(address, autocommit=True)
    connection.execute(_PINNED)
    return connection


def _row(
    connection: psycopg.Connection, query: object, values: list[object] | None = None
) -> tuple[object, ...]:
    row = connection.execute(query, values).fetchone()  # type: ignore[call-overload]  # text of ours or composed
    assert row is not None
    return tuple(row)


def _tables(connection: psycopg.Connection, schema: str) -> list[tuple[str, list[str]]]:
    return connection.execute(
        "SELECT class.relname, array_agg(att.attname::text ORDER BY att.attnum) FROM pg_class AS class "
        "JOIN pg_attribute AS att ON att.attrelid = class.oid AND att.attnum > 0 "
        "AND NOT att.attisdropped AND att.attgenerated = '' "
        "WHERE class.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s) "
        "AND class.relkind = 'r' GROUP BY class.relname ORDER BY class.relname",
        [schema],
    ).fetchall()


def _sequences(connection: psycopg.Connection, schema: str) -> dict[str, int]:
    rows = connection.execute(
        "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = %s AND last_value IS NOT NULL",
        [schema],
    )
    return dict(rows.fetchall())


def _columns(columns: object) -> sql.Composed:
    assert isinstance(columns, list)
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _copy_out(connection: psycopg.Connection, schema: str, table: str, columns: object, path: Path) -> None:
    statement = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(schema, table), _columns(columns))
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for data in copy:
            file.write(data)


def _copy_in(connection: psycopg.Connection, schema: str, table: str, columns: object, path: Path) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(schema, table), _columns(columns))
    for chunk in _chunks(path):
        with resting(), connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(chunk)


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield whole rows, some megabytes at a time: a line of COPY's text is a row."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk + file.readline()


def _write_structure(
    address: str, schema: str, folder: Path, snapshot: str | None, only: tuple[str, ...]
) -> None:
    """Write what is there before and after the rows. The catalogue, which is everybody's, is read once."""
    parts = psycopg.conninfo.conninfo_to_dict(address)
    password = str(parts.pop("password", "") or "")
    both = folder / "structure"
    dump = [
        *(str(find_tool("pg_dump")), "--format=custom", f"--file={both}", f"--schema={schema}"),
        *("--section=pre-data", "--section=post-data"),
        *([f"--snapshot={snapshot}"] if snapshot else []),
        *(f"--table={schema}.{table}" for table in only),
        f"--dbname={psycopg.conninfo.make_conninfo('', **parts)}",
    ]
    _said(dump, password)
    for section, name in (("pre-data", "before.sql"), ("post-data", "after.sql")):
        leaving_out = ("--no-owner", "--no-publications", "--no-subscriptions")
        said = _said(
            [str(find_tool("pg_restore")), f"--section={section}", *leaving_out, "--file=-", str(both)]
        )
        # psql's own commands; what looks like a setting or a comment may be a line of a function.
        lines = (line for line in said.splitlines() if not line.startswith("\\"))
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    both.unlink()


def _said(command: list[str], password: str = "") -> str:  # a file needs none
    environment = {**os.environ, "PGPASSWORD": password}
    done = subprocess.run(gently(command), env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Differs(f"{Path(command[0]).name}: {done.stderr.strip()}")
    return done.stdout


def _text(path: Path, old: str, new: str) -> bytes:
    return path.read_text(encoding="utf-8").replace(old, new).encode()


def _entries(text: bytes) -> list[bytes]:
    """Return a dump's entries, so that each has a transaction of its own.

    A transaction that makes a whole schema has more to say to the caches of all others than their queue
    holds: they would drop everything that they know of everybody, once for each schema that is loaded.
    """
    return [part for part in re.split(rb"(?m)^--\n-- Name: .*; Type: .*\n--\n", text) if part.strip()]
