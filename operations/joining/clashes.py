"""A list of what was found before organisations are joined, or one is split.

It names people and things of organisations, so it stays on their shard, for whoever has the owner's login;
the control plane is told how many there are of what.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from psycopg import sql

from operations.joining.link import Link, opened
from operations.joining.shape import Place, rows_of, tables

# Longer than anything can be undone.
_KEPT_FOR = "60 days"


class Kind(StrEnum):
    """What becomes of something that both have."""

    SAME_PERSON = "same_person"
    OTHER_NAME = "other_name"
    OTHER_ROLE = "other_role"
    POWER = "power"
    LEFT_BEHIND = "left_behind"
    STOPS = "stops"
    IN_BOTH = "in_both"
    BY_NAME = "by_name"
    CROSSES = "crosses"
    LOSES = "loses"

    @property
    def heading(self) -> str:
        """Return what stands above those of this kind."""
        return _HEADINGS[self]


_HEADINGS = {
    Kind.STOPS: "Has to be settled first",
    Kind.SAME_PERSON: "People with the same address become one person",
    Kind.OTHER_NAME: "Gets another name",
    Kind.OTHER_ROLE: "Gets another role",
    Kind.POWER: "Comes with power over everything",
    Kind.LEFT_BEHIND: "Does not come",
    Kind.IN_BOTH: "Is in both afterwards",
    Kind.BY_NAME: "Comes by name only",
    Kind.CROSSES: "Links between what goes and what stays",
    Kind.LOSES: "Does not see any more what goes",
}


@dataclass(frozen=True, slots=True)
class Clash:
    """One thing: what kind of thing it is, what it is called, and what becomes of it.

    `rows` is how many it stands for, where nobody would want each one's name.
    """

    kind: Kind
    noun: str
    name: str
    becomes: str
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """All clashes, and how many rows of each table come."""

    clashes: tuple[Clash, ...]
    rows: dict[str, int]

    @property
    def stops(self) -> tuple[Clash, ...]:
        """Return what has to be settled first."""
        return tuple(clash for clash in self.clashes if clash.kind is Kind.STOPS)

    def counted(self) -> list[dict[str, str]]:
        """Return how many there are of each kind and of what, without a name of anybody or anything."""
        counts: Counter[tuple[Kind, str]] = Counter()
        for clash in self.clashes:
            counts[clash.kind, clash.noun] += clash.rows
        return [
            {"kind": kind.value, "noun": noun, "count": f"{count:,}"}
            for (kind, noun), count in counts.items()
        ]


def keep(alias: str, work: UUID, found: Found) -> None:
    """Keep the list on a shard, in place of what was found before; lists that nobody needs any more go."""
    with opened(alias) as connection, connection.transaction():
        forget(connection, work)
        connection.execute("DELETE FROM enclave.joined_found WHERE at < now() - %s::interval", [_KEPT_FOR])
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO enclave.joined_found (work, place, kind, noun, name, becomes, rows) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (work, place, clash.kind.value, clash.noun, clash.name, clash.becomes, clash.rows)
                    for place, clash in enumerate(found.clashes)
                ],
            )


def listed(alias: str, work: UUID) -> list[Clash]:
    """Return the list that was kept on a shard."""
    with opened(alias) as connection:
        rows = connection.execute(
            "SELECT kind, noun, name, becomes, rows FROM enclave.joined_found WHERE work = %s ORDER BY place",
            [work],
        ).fetchall()
    return [
        Clash(Kind(str(kind)), str(noun), str(name), str(becomes), int(str(count)))
        for kind, noun, name, becomes, count in rows
    ]


def forget(connection: Link, work: UUID) -> None:
    """Forget a list."""
    connection.execute("DELETE FROM enclave.joined_found WHERE work = %s", [work])


def counted(connection: Link, place: Place) -> dict[str, int]:
    """Return how many rows of what come; people have one word for some kinds of rows."""
    rows: Counter[str] = Counter()
    for table in tables():
        rows[table.said] += count(connection, f"SELECT count(*) FROM ({rows_of(table, place)}) AS rows")
    return {said: number for said, number in rows.items() if number}


def count(connection: Link, query: str | sql.Composed) -> int:
    """Return the one number that a query asks for."""
    row = connection.execute(query.encode() if isinstance(query, str) else query).fetchone()
    return int(str(row[0])) if row else 0


# The apps of which nobody has to be told by name what stays behind.
OURS = frozenset(
    {
        "accounts",
        "audit",
        "auditlog",
        "auth",
        "contenttypes",
        "guardian",
        "identity",
        "jobs",
        "permissions",
        "records",
    }
    | {"account", "mfa"}
)
