"""Makes logins, databases and the schema `enclave` on a PostgreSQL server of one's own.

Run as `python -m config.own_server` by an administrator, before `manage.py prepare` and after every upgrade,
with SUPERUSER_DATABASE_URL and the URLs of the product in the environment: CONTROL_DATABASE_URL,
SHARD_1_DATABASE_URL, …, OWNER_CONTROL_DATABASE_URL and, where organisations move between shards,
MOVER_SHARD_1_DATABASE_URL. The logins get the passwords that stand in those. It may be repeated. No other
process needs the superuser's URL.

Where shards lie on several servers it is run for each: `python -m config.own_server shard_3 shard_4` makes
these two and no control plane, on the server that SUPERUSER_DATABASE_URL names.
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


def logins_named(variables: Mapping[str, str], *, shard: str = "shard_1") -> bootstrap.Logins:
    """The passwords in the URLs, the app's as it stands in that of `shard`; raises MissingSetting."""
    return bootstrap.Logins(
        control=_password(variables, "CONTROL_DATABASE_URL"),
        app=_password(variables, f"{shard.upper()}_DATABASE_URL"),
        owner=_password(variables, "OWNER_CONTROL_DATABASE_URL"),
        # Without it nothing is moved between shards.
        mover=unquote(urlsplit(variables.get("MOVER_SHARD_1_DATABASE_URL", "")).password or ""),
        # Without it back-ups are somebody else's.
        backup=unquote(urlsplit(variables.get("BACKUP_SHARD_1_DATABASE_URL", "")).password or ""),
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
        named, known = tuple(sys.argv[1:]), shards_named(os.environ)
        for shard in named:
            if shard not in known:
                raise MissingSetting(f"{shard.upper()}_DATABASE_URL is not set.")
        shards = named or known
        logins = logins_named(os.environ, shard=shards[0] if shards else "shard_1")
        bootstrap.prepare(superuser_url=superuser, logins=logins, shards=shards, control=not named)
    except (MissingSetting, psycopg.OperationalError) as refusal:
        sys.stderr.write(f"The server was not prepared: {refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
