"""What of an export only this installation can read: how people sign in, and what was sent to them.

An export is in the hands of whoever fetched it. Hashes of passwords, keys of second steps, digests of
sessions and mails with links in them come back with the organisation, but are nobody's to take away. Their
tables are encrypted; the people themselves, by name and address, stand in `people.csv`.
"""

from pathlib import Path

import psycopg
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from psycopg import sql

from accounts import keys
from accounts.identity.models import Session, User
from audit.registry import trail
from operations.leaving.problems import CannotReturn

_UNKNOWN = "{} was sealed with a key that is not known here."
_PURPOSE = "export.sealed"
_CHUNK = 8 * 1024 * 1024


def sealed_tables() -> frozenset[str]:
    """Return the tables that are encrypted: those with columns that the trail never stores, and two more."""
    masked = {one.table for one in trail.captured() if one.masked}
    return frozenset(masked | {Session._meta.db_table, Authenticator._meta.db_table, User._meta.db_table})


def seal(bundle: Path) -> None:
    """Encrypt those tables of a bundle, and leave nothing of them readable."""
    (bundle / "sealed").mkdir(mode=0o700)
    box = keys.box(_PURPOSE)
    for name in sorted(sealed_tables()):
        plain = bundle / "tables" / name
        if not plain.exists():
            continue  # of a team's room that is installed no more
        with plain.open("rb") as source, (bundle / "sealed" / name).open("wb") as target:
            while chunk := source.read(_CHUNK):
                target.write(box.encrypt(chunk) + b"\n")
        plain.unlink()


def unseal(bundle: Path) -> None:
    """Make a bundle whole again; raise CannotReturn where a key of before is not known any more."""
    box = keys.box(_PURPOSE)
    for sealed in sorted((bundle / "sealed").iterdir()):
        with sealed.open("rb") as source, (bundle / "tables" / sealed.name).open("wb") as target:
            try:
                for line in source:
                    target.write(box.decrypt(line.rstrip()))
            except InvalidToken as problem:
                raise CannotReturn(_UNKNOWN.format(sealed.name)) from problem
        sealed.unlink()


def write_people(address: str, schema: str, target: Path) -> None:
    """Write who the organisation's people are into a file of comma-separated values."""
    statement = sql.SQL(
        "COPY (SELECT id, name, email, is_active, joined_at FROM {} ORDER BY name, id) "
        "TO STDOUT WITH CSV HEADER"
    ).format(sql.Identifier(schema, User._meta.db_table))
    with psycopg.connect(address, autocommit=True) as connection, target.open("wb") as file:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for data in copy:
                file.write(data)
