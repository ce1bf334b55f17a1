"""The tables of a schema, and the digests that say whether two of them are the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from audit.registry import trail
from operations.moves.links import Link
from operations.moves.problems import CannotMove

# Not given to the tenant's role, so the mover does not read it either; it is copied by hand.
MIGRATIONS = "django_migrations"
EVENTS = "audit_event"
PRIVATE = "audit_private"


@dataclass(frozen=True, slots=False)
class Table:
    """One table: its columns by name, and those of its key in order."""

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def quoted(self) -> sql.Identifier:
        """Return its name with its schema."""
        return sql.Identifier(self.schema, self.name)

    @cached_property
    def row_text(self) -> sql.Composed:
        """Return the expression of a whole row as a number of 64 bits: columns by name, each as text."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("hashtextextended(ROW({})::text, 0)").format(columns)

    @cached_property
    def key_text(self) -> sql.Composed:
        """Return the expression of the key as text."""
        return sql.SQL("concat_ws('/', {})").format(sql.SQL(", ").join(map(sql.Identifier, self.key)))

    def digest(self, where: sql.Composable | None = None) -> sql.Composed:
        """Return the query for how many rows there are, and the sum of their numbers."""
        return sql.SQL("SELECT count(*), coalesce(sum({}::numeric), 0) FROM {}{}").format(
            self.row_text, self.quoted, _where(where)
        )

    def rows(self, where: sql.Composable | None = None) -> sql.Composed:
        """Return the query for the key and the number of each row."""
        return sql.SQL("SELECT {}, {} FROM {}{}").format(
            self.key_text, self.row_text, self.quoted, _where(where)
        )


def _where(condition: sql.Composable | None) -> sql.Composable:
    return sql.SQL("") if condition is None else sql.SQL(" WHERE {}").format(condition)


_TABLES = """
SELECT class.relname,
    array_agg(att.attname::text ORDER BY att.attname COLLATE "C"),
    (SELECT array_agg(key.attname::text ORDER BY place)
     FROM pg_index AS idx CROSS JOIN unnest(idx.indkey) WITH ORDINALITY AS part (number, place)
     JOIN pg_attribute AS key ON key.attrelid = class.oid AND key.attnum = part.number
     WHERE idx.indrelid = class.oid AND idx.indisprimary),
    class.relacl IS NOT NULL
FROM pg_class AS class
JOIN pg_attribute AS att ON att.attrelid = class.oid AND att.attnum > 0 AND NOT att.attisdropped
WHERE class.relnamespace = to_regnamespace(%s) AND class.relkind IN ('r', 'p')
GROUP BY class.oid, class.relname, class.relacl ORDER BY class.relname COLLATE "C"
"""


def tables_of(connection: Link, schema: str) -> list[Table]:
    """Return the tables that are replicated. Raises CannotMove for one that could not be."""
    found = []
    for table, columns, key, is_given in connection.execute(_TABLES, (schema,)).fetchall():
        if table == MIGRATIONS:
            continue
        if not key:
            raise CannotMove(f"The table {table} has no primary key, so its changes cannot be followed.")
        if not is_given:
            raise CannotMove(f"The organisation itself may not read the table {table}.")
        found.append(Table(schema, table, tuple(columns), tuple(key)))
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same on both sides."""

    table: str
    key: str
    how: str

    def __str__(self) -> str:
        return f"{self.table}: the row {self.key} {self.how}"


MOST_NAMED = 5


def differences(
    table: Table,
    ours: Sequence[tuple[str, int]],
    theirs: Iterator[tuple[str, int]] | Sequence[tuple[str, int]],
) -> list[Difference]:
    """Return some of the rows that differ, by key; `ours` are the original's."""
    left = dict(ours)
    found = []
    for key, number in theirs:
        known = left.pop(key, None)
        if known is None:
            found.append(Difference(table.name, key, "is in the copy only"))
        elif known != number:
            found.append(Difference(table.name, key, "has other values in the copy"))
    found.extend(Difference(table.name, key, "is missing in the copy") for key in left)
    return found[:MOST_NAMED]


def captured_keys() -> dict[str, tuple[int, str]]:
    """Return content type and key column of the tables whose changes the trail names row by row."""
    return {one.table: (one.type_id, one.key) for one in trail.captured()}
