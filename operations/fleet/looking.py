"""What the catalogue says of a schema."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections


def digests_of(alias: str, schema: str, parts: Sequence[str] | None = None) -> dict[str, str]:
    """Return a digest of every part of every table, view, sequence and function of a schema, by name.

    With `parts`, of those that are named and there. Parts are named as `enclave.digest_of` says.
    """
    return _asked(alias, "SELECT name, digest FROM enclave.digests_of(%s, %s)", schema, parts)


def differing(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that are not the same in two schemas, in order."""
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def rows_of(alias: str, schema: str) -> dict[str, int]:
    """Return a number for each part of a schema, which changes when somebody touches it."""
    return _asked(alias, "SELECT name, written FROM enclave.rows_of(%s)", schema)


def _asked(alias: str, query: str, *values: Any) -> dict[str, Any]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query, values)
        return dict(cursor.fetchall())
