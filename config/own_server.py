"""Makes logins, databases and the schema `enclave` on a PostgreSQL server of one's own.

Run as `python -m config.own_server` by an administrator, before `manage.py prepare` and after every upgrade,
with SUPERUSER_DATABASE_URL and the URLs of the product in the environment: CONTROL_DATABASE_URL,
SHARD_1_DATABASE_URL, …, OWNER_CONTROL_DATABASE_URL and, where organisations move between shards,
MOVER_SHARD_1_DATABASE_URL. The logins get the passwords that stand in those. It may be repeated. No other
process needs the superuser's URL.
"""

import os
import re
import sys
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import psycopg

from tenants import bootstrap


class MissingSetting(Exception):
    """A variable is missing or has no password in it; `str()` says which."""


def shards_named(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The shards that have a URL: shard_1, shard_2, … in order."""
    found = (re.fullmatch(r"SHARD_(\d+)_DATABASE_URL", name) for name in variables)
    return tuple(f"shard_{number}" for number in sorted(int(match[1]) for match in found if match))


def logins_named(variables: Mapping[str, str]) -> bootstrap.Logins:
    """The passwords in the URLs; raises MissingSetting."""
    return bootstrap.Logins(
        control=_password(variables, "CONTROL_DATABASE_URL"),
        app=_password(variables, "SHARD_1_DATABASE_URL"),
        owner=_password(variables, "OWNER_CONTROL_DATABASE_URL"),
        # Without it nothing is moved between shards.
        mover=unquote(urlsplit(variables.get("MOVER_SHARD_1_DATABASE_URL", "")).password or ""),
    )


def _password(variables: Mapping[str, str], name: str) -> str:
    password = urlsplit(variables.get(name, "")).password
    if not password:
        raise MissingSetting(f"{name} is not set, or has no password in it.")
    return unquote(password)


def main() -> int:
    """Prepare the server; 1 with a sentence when that cannot be done."""
    try:
        superuser = os.environ.get("SUPERUSER_DATABASE_URL", "")
        if not superuser:
            raise MissingSetting("SUPERUSER_DATABASE_URL is not set.")
        logins, shards = logins_named(os.environ), shards_named(os.environ)
        bootstrap.prepare(superuser_url=superuser, logins=logins, shards=shards)
    except (MissingSetting, psycopg.OperationalError) as refusal:
        sys.stderr.write(f"The server was not prepared: {refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
