"""Logins, databases and the schema `enclave`: what has to exist before Django's own migrations.

`prepare` is run by a superuser, once for each server and again after every upgrade; all of it may be
repeated. The logins have what they need and no more:

* enclave_control reads and writes the control plane's tables and owns none;
* enclave_app may call functions of a shard's schema `enclave` and become a tenant's role;
* enclave_owner owns schemas, makes roles, and is known to migration processes only;
* enclave_mover is what servers replicate with while an organisation moves: it may decode a log and make a
  subscription, reads the tables of organisations that move, and writes the copies that are not open yet;
* enclave_backup copies the whole server and reads no table; only the process that backs up knows it;
* none of them is a superuser or can bypass row security.
"""

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

import orjson
import psycopg
from psycopg import sql

CONTROL_DATABASE = "control"
_SQL = Path(__file__).parent / "sql"
# A transaction that has written ends within 2 s or holds up the trail's seals; see ADR 0002.
_APP_LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "jit": "off",
}


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Logins:
    """The passwords of the database logins."""

    control: str
    app: str
    owner: str
    # These came later: files of passwords without them are completed when they are read. Without one
    # nothing is moved, or backed up by us.
    mover: str = ""
    backup: str = ""

    @classmethod
    def make(cls) -> "Logins":
        """Return fresh random passwords."""
        return cls(*(_password() for _ in range(5)))

    @classmethod
    def load_or_make(cls, path: Path) -> "Logins":
        """Read the passwords from a file that only its owner can read, or make and keep them there."""
        fresh = cls.make()
        known = cls(**orjson.loads(path.read_bytes())) if path.exists() else fresh
        logins = replace(known, mover=known.mover or fresh.mover, backup=known.backup or fresh.backup)
        if path.exists() and logins == known:
            return logins
        # Whole or not at all: a full disk must not leave half a file of passwords.
        part = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(asdict(logins)))
        part.replace(path)
        return logins


def environment(*, host: str, port: int, logins: Logins, shards: Sequence[str]) -> dict[str, str]:
    """Return the DATABASE_URL variables for one server holding the control plane and these shards."""

    server = f"{host}:{port}"
    return {
        "CONTROL_DATABASE_URL": _url("enclave_control", logins.control, server, CONTROL_DATABASE),
        "OWNER_CONTROL_DATABASE_URL": _url("enclave_owner", logins.owner, server, CONTROL_DATABASE),
        **shard_environment(host=host, port=port, logins=logins, shards=shards),
    }


def shard_environment(*, host: str, port: int, logins: Logins, shards: Sequence[str]) -> dict[str, str]:
    """Return the DATABASE_URL variables for a server that holds shards and no control plane."""
    server = f"{host}:{port}"
    variables = {}
    for shard in shards:
        variables[f"{shard.upper()}_DATABASE_URL"] = _url("enclave_app", logins.app, server, shard)
        variables[f"OWNER_{shard.upper()}_DATABASE_URL"] = _url("enclave_owner", logins.owner, server, shard)
        if logins.mover:
            variables[f"MOVER_{shard.upper()}_DATABASE_URL"] = _url(
                "enclave_mover", logins.mover, server, shard
            )
        if logins.backup:
            variables[f"BACKUP_{shard.upper()}_DATABASE_URL"] = _url(
                "enclave_backup", logins.backup, server, shard
            )
    return variables


def _url(user: str, password: str, server: str, database: str) -> str:
    return f"postgresql://{user}:{quote(password)}@{server}/{database}"


def without_owner(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a process without the owner's login may see."""
    hidden = ("OWNER_", "MOVER_", "BACKUP_")
    return {name: value for name, value in variables.items() if not name.startswith(hidden)}


def prepare(*, superuser_url: str, logins: Logins, shards: Sequence[str], control: bool = True) -> None:
    """Make logins, databases and the schema `enclave` on one server. May be repeated.

    `control` says whether the control plane lies on it too.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        _make_logins(connection, logins)
        for database in (*((CONTROL_DATABASE,) if control else ()), *shards):
            _make_database(connection, database)
    if control:
        with psycopg.connect(superuser_url, dbname=CONTROL_DATABASE, autocommit=True) as connection:
            _close_public(connection)
            _open_control(connection)
    for shard in shards:
        with psycopg.connect(superuser_url, dbname=shard, autocommit=True) as connection:
            _close_public(connection)
            connection.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO enclave_owner").format(sql.Identifier(shard))
            )
            if logins.mover:
                # A subscription is an object of its database.
                connection.execute(
                    sql.SQL("GRANT CONNECT, CREATE ON DATABASE {} TO enclave_mover").format(
                        sql.Identifier(shard)
                    )
                )
            if logins.backup:
                _open_to_backups(connection, shard)
            connection.execute("SET ROLE enclave_owner")
            connection.execute((_SQL / "enclave.sql").read_bytes())


def _make_logins(connection: psycopg.Connection, logins: Logins) -> None:
    existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    for name, password, extra in (
        ("enclave_control", logins.control, "NOREPLICATION NOCREATEROLE"),
        ("enclave_app", logins.app, "NOREPLICATION NOCREATEROLE NOINHERIT"),
        ("enclave_owner", logins.owner, "NOREPLICATION CREATEROLE"),
        ("enclave_mover", logins.mover, "REPLICATION NOCREATEROLE"),
        ("enclave_backup", logins.backup, "REPLICATION NOCREATEROLE NOINHERIT"),
    ):
        if not password:
            continue
        verb = "ALTER" if name in existing else "CREATE"
        options = f"LOGIN NOSUPERUSER NOCREATEDB NOBYPASSRLS {extra}"
        connection.execute(
            sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                sql.SQL(verb), sql.Identifier(name), sql.SQL(options), sql.Literal(password)
            )
        )
    if logins.mover:
        connection.execute("GRANT pg_create_subscription TO enclave_mover")
    for name in ("enclave_control", "enclave_app"):
        _set_limits(connection, name, _APP_LIMITS.items())


def _set_limits(connection: psycopg.Connection, name: str, limits: Iterable[tuple[str, str]]) -> None:
    for setting, value in limits:
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
            )
        )


def _make_database(connection: psycopg.Connection, name: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if not found:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    logins = ["enclave_owner", "enclave_control" if name == CONTROL_DATABASE else "enclave_app"]
    for login in logins:
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(login))
        )


def _open_to_backups(connection: psycopg.Connection, database: str) -> None:
    """Let the login of back-ups end a segment of the log and see that it was archived; it reads no table."""
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO enclave_backup").format(sql.Identifier(database))
    )
    connection.execute("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO enclave_backup")


def _close_public(connection: psycopg.Connection) -> None:
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")


def _open_control(connection: psycopg.Connection) -> None:
    connection.execute("GRANT USAGE, CREATE ON SCHEMA public TO enclave_owner")
    connection.execute("GRANT USAGE ON SCHEMA public TO enclave_control")
    connection.execute(
        "ALTER DEFAULT PRIVILEGES FOR ROLE enclave_owner IN SCHEMA public "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO enclave_control"
    )
    connection.execute(
        "ALTER DEFAULT PRIVILEGES FOR ROLE enclave_owner IN SCHEMA public "
        "GRANT USAGE ON SEQUENCES TO enclave_control"
    )
