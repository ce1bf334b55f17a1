"""The text that does to another schema what a part of a plan did to the canary."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from operations.fleet.parts import LOCK_TIMEOUT_MS, Part, keys_of
from tenants.names import checked_schema_name
from tenants.schema import labels

# The states that the functions of the schema `enclave` raise.
ALREADY_THERE = "EN011"
ANOTHER_VERSION = "EN012"
DIFFERS = "EN013"
COPY = "EN014"
LOCKED = ("55P03", "40P01")  # lock_not_available, deadlock_detected
_SETS_PATH = re.compile(r"(SELECT set_config\('search_path', '[^']*', )false\)")


@dataclass(frozen=True, slots=True)
class Script:
    """A part as text. `canary` is the schema it was recorded in, which occurs nowhere else in it."""

    canary: str
    aim: str
    body: str

    def for_schemas(self, schemas: Sequence[str]) -> bytes:
        """Return what does it to other schemas, one after the other, each in a transaction of its own.

        The first that fails ends it: those before it are done, those after it are not begun.
        """
        names = [checked_schema_name(schema) for schema in schemas]
        return f"CALL enclave.run_scripts({_written(self.body)}, '{self.canary}', {_written(names)})".encode()


def script_of(part: Part, *, canary: str, start: str) -> Script:
    """Return a part's text: expect the version and write the new one down, do it, compare what it touched.

    The commit does not wait for the disk: whoever runs scripts flushes before believing them, and a
    schema that lost its commit in a crash is found at its old version and migrated again.
    """
    had = [key for migration in part.migrations for key in keys_of(migration)]
    apps, names = [app for app, _ in had], [name for _, name in had]
    lines = [
        _call("begin_script", canary, part.mark, labels(), start, part.aim, LOCK_TIMEOUT_MS, apps, names),
        f"SET LOCAL search_path = {canary}",
        *_on_path(canary, [statement.rstrip().rstrip(";") for statement in part.statements]),
        _comparison(canary, part.digests),
    ]
    return Script(canary, part.aim, ";\n".join(line for line in lines if line))


def _on_path(canary: str, statements: Sequence[str]) -> Iterator[str]:
    """Leave out what sets a path that is set already, or that nothing is done with before the next."""
    there = path = f"SELECT set_config('search_path', '{canary}', true)"
    for statement in statements:
        if (sets := _SETS_PATH.fullmatch(statement)) is not None:
            # For the transaction only: the next schema's begins as the first one's did.
            path = f"{sets[1]}true)"
            continue
        if path != there:
            yield path
            there = path
        yield statement
    if path != there:
        yield path


def _comparison(canary: str, digests: Mapping[str, str]) -> str:
    return _call("expect_digests", canary, list(digests), list(digests.values())) if digests else ""


def _call(function: str, *arguments: str | int | Sequence[str]) -> str:
    written = ", ".join(_written(argument) for argument in arguments)
    return f"SELECT enclave.{function}({written})"


def _written(argument: str | int | Sequence[str]) -> str:
    if isinstance(argument, str | int):
        return sql.Literal(argument).as_string()
    return f"ARRAY[{', '.join(sql.Literal(one).as_string() for one in argument)}]::text[]"
