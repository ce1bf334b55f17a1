"""What is looked at before the first request in production: whether the database logins are small enough."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from tenants.context import control_plane, on_shard

_RIGHTS = """
    SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
           EXISTS (SELECT 1 FROM pg_catalog.pg_roles AS owner
                    WHERE owner.rolname = 'enclave_owner'
                      AND pg_catalog.pg_has_role(session_user, owner.oid, 'MEMBER'))
      FROM pg_catalog.pg_roles WHERE rolname = session_user
"""
_NAMES = ("superuser", "bypassrls", "createrole", "createdb", "replication", "membership of enclave_owner")


def excess_rights(cursor: Any) -> list[str]:
    """Return the rights that the login of a cursor has and an app's login must not have."""
    cursor.execute(_RIGHTS)
    row = cursor.fetchone()
    return [name for name, held in zip(_NAMES, row, strict=True) if held]


def logins_are_small(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Say which login of an app's process could do more than the wall allows for."""
    if settings.DATABASE_LOGIN != "app":
        return []
    errors: list[CheckMessage] = []
    for alias in databases or ():
        for right in _excess_of(alias):
            errors.append(
                Error(
                    f"The login of {alias} has {right}.",
                    hint="Make the logins with python -m config.own_server, or take the right away.",
                    id="enclave.E001",
                )
            )
    return errors


def _excess_of(alias: str) -> Iterator[str]:
    if alias == "default":
        return
    door = control_plane() if alias == "control" else on_shard(alias)
    with door, connections[alias].cursor() as cursor:
        yield from excess_rights(cursor)


def refuse_or_start() -> None:
    """Raise ImproperlyConfigured if a check of the databases fails."""
    problems = run_checks(tags=[Tags.database], databases=["control", *settings.SHARD_ALIASES])
    serious = [problem for problem in problems if problem.is_serious()]
    if serious:
        raise ImproperlyConfigured("; ".join(problem.msg for problem in serious))
