"""What is looked at before a process of production works: whether its database logins are small enough."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

from tenants import breaker
from tenants.context import control_plane, on_shard

# What no login of the product may have, in the words of the error.
_NOBODY = {
    "superuser": "rolsuper",
    "bypassrls": "rolbypassrls",
    "createdb": "rolcreatedb",
    "replication": "rolreplication",
    # pg_read_all_data, pg_execute_server_program and their like reach past every grant of ours.
    "membership of a role of the server's own": """EXISTS (
        SELECT FROM pg_catalog.pg_roles AS own WHERE own.rolname LIKE 'pg\\_%'
           AND pg_catalog.pg_has_role(me.oid, own.oid, 'MEMBER'))""",
}
# What only the owner of the schemas has.
_OWNERS_ONLY = {
    "createrole": "rolcreaterole",
    "membership of enclave_owner": """EXISTS (
        SELECT FROM pg_catalog.pg_roles AS owner WHERE owner.rolname = 'enclave_owner'
           AND pg_catalog.pg_has_role(me.oid, owner.oid, 'MEMBER'))""",
    # A login of the app becomes a tenant's role; what it inherited it would hold in every transaction.
    "inherited rights": """EXISTS (
        SELECT FROM pg_catalog.pg_auth_members WHERE member = me.oid AND inherit_option)""",
    # Through the index of dependencies: with thousands of schemas a walk over all tables would take long.
    "tables, schemas or databases of its own": """EXISTS (
        SELECT FROM pg_catalog.pg_shdepend WHERE deptype = 'o' AND refobjid = me.oid
           AND refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass)""",
    "the right to make schemas": "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
    "the right to make temporary tables": (
        "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP')"
    ),
}


def excess_rights(cursor: Any, *, owner: bool = False) -> list[str]:
    """Return the rights that the login of a cursor has and must not have; `owner` for the owner's login."""
    looked_for = _NOBODY if owner else _NOBODY | _OWNERS_ONLY
    cursor.execute(
        f"SELECT {', '.join(looked_for.values())} FROM pg_catalog.pg_roles AS me "  # noqa: S608  # ours
        "WHERE me.rolname = session_user"
    )
    row = cursor.fetchone()
    return [name for name, held in zip(looked_for, row, strict=True) if held]


# What the login that servers replicate with may have beside the app's: replication and one role.
_MOVER = {
    **{name: test for name, test in _NOBODY.items() if name in ("superuser", "bypassrls", "createdb")},
    "membership of a role of the server's own": _NOBODY["membership of a role of the server's own"].replace(
        "own.rolname LIKE", "own.rolname <> 'pg_create_subscription' AND own.rolname LIKE"
    ),
    **{
        name: test
        for name, test in _OWNERS_ONLY.items()
        if name in ("createrole", "membership of enclave_owner")
    },
}


def excess_rights_of_mover(cursor: Any) -> list[str]:
    """Return the rights that the mover's login has and must not have."""
    cursor.execute(
        f"SELECT {', '.join(_MOVER.values())} FROM pg_catalog.pg_roles AS me "  # noqa: S608  # ours
        "WHERE me.rolname = session_user"
    )
    row = cursor.fetchone()
    return [name for name, held in zip(_MOVER, row, strict=True) if held]


def logins_are_small(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Say which login of this process could do more than the wall allows for.

    A shard that does not answer keeps nobody from serving the others: it is asked before it is used.
    """
    errors: list[CheckMessage] = []
    for alias in databases or ():
        try:
            errors += [_error(alias, right) for right in _excess_of(alias)]
        except OperationalError as problem:
            if alias not in settings.SHARD_ALIASES:
                raise
            parameters = connections[alias].get_connection_params()
            breaker.of(alias).open_until(_unless_small, parameters=parameters, why=str(problem))
    if settings.DATABASE_LOGIN == "owner":
        errors.extend(_movers_are_small(databases or ()))
    return errors


def _movers_are_small(aliases: Sequence[str]) -> Iterator[CheckMessage]:
    for alias in aliases:
        if alias not in settings.MOVER_URLS or breaker.of(alias).is_open:
            continue  # nothing moves to or from a shard that does not answer
        with psycopg.connect(settings.MOVER_URLS[alias], connect_timeout=5) as connection:
            for right in excess_rights_of_mover(connection.cursor()):
                yield Error(f"The mover's login of {alias} has {right}.", id="enclave.E002")


def _error(alias: str, right: str) -> Error:
    return Error(
        f"The login of {alias} has {right}.",
        hint="Make the logins with python -m config.own_server, or take the right away.",
        id="enclave.E001",
    )


def _unless_small(connection: psycopg.Connection) -> str:
    """Return why a shard must not be used, or nothing."""
    with connection.cursor() as cursor:
        return ", ".join(excess_rights(cursor, owner=settings.DATABASE_LOGIN == "owner"))


def _excess_of(alias: str) -> Iterator[str]:
    if alias == "default":
        return
    door = control_plane() if alias == "control" else on_shard(alias)
    with door, connections[alias].cursor() as cursor:
        yield from excess_rights(cursor, owner=settings.DATABASE_LOGIN == "owner")


def refuse_or_start() -> None:
    """Raise ImproperlyConfigured if a login may do too much, and leave no connection open.

    What begins here may fork: a pool in two processes would give both the same connection.
    """
    aliases = ["control", *settings.SHARD_ALIASES]
    try:
        problems = run_checks(tags=[Tags.database], databases=aliases)
    finally:
        for alias in aliases:
            _close(alias)
    serious = [problem for problem in problems if problem.is_serious()]
    if serious:
        raise ImproperlyConfigured("; ".join(problem.msg for problem in serious))


def _close(alias: str) -> None:
    connection: Any = connections[alias]
    connection.close()
    connection.close_pool()
