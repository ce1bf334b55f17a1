"""What two organisations have both, and what becomes of it; what would be lost; and what stops everything.

Looked up in the copy and in the one that the rows come to, after it was decided which row is which. The list
names people and things of organisations, so it stays on their shard, for whoever has the owner's login; the
control plane is told how many there are of what.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from audit.checks import tenant_models
from operations.joining.link import Link, opened
from operations.joining.shape import Place, Table, person_type, rows_of, tables
from operations.joining.staging import Both
from permissions import perms
from permissions.models.roles import ADMIN_RANK, OWNER_ID
from tenants.joining import has_rule, rule_of

# Of one table and one reason. Who has more has another problem than which these are.
MOST_NAMED = 1_000
# Longer than anything can be undone.
_KEPT_FOR = "60 days"
_UNIQUE = """
SELECT pg_get_expr(index.indpred, index.indrelid), index.indnullsnotdistinct,
    (SELECT array_agg(pg_get_indexdef(index.indexrelid, place, true) ORDER BY place)
     FROM generate_series(1, index.indnkeyatts) AS place)
FROM pg_index AS index JOIN pg_class AS class ON class.oid = index.indrelid
WHERE class.relnamespace = %s::regnamespace AND class.relname = %s AND index.indisunique
ORDER BY index.indexrelid
"""


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


def find(both: Both, place: Place) -> Found:
    """Look everything up."""
    with opened(both.here.alias) as connection:
        # The queries that say what rows become are read by the one that they come to.
        connection.execute("SELECT set_config('search_path', %s, false)", [f"{both.here.schema}, pg_temp"])
        clashes = [
            *_two_claims(connection, place),
            *(clash for table in tables() for clash in _taken(connection, table, both, place)),
            *_same_people(connection, both, place),
            *_other_names(connection, both, place),
            *_other_roles(connection, place),
            *_powers(connection, both, place),
            *_left_behind(connection, place),
        ]
        rows = counted(connection, place)
    return Found(tuple(clashes), rows)


def counted(connection: Link, place: Place) -> dict[str, int]:
    """Return how many rows of what come; people have one word for some kinds of rows."""
    rows: Counter[str] = Counter()
    for table in tables():
        rows[table.said] += _count(connection, f"SELECT count(*) FROM ({rows_of(table, place)}) AS rows")
    return {said: count for said, count in rows.items() if count}


def _count(connection: Link, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(str(row[0])) if row else 0


def _two_claims(connection: Link, place: Place) -> Iterator[Clash]:
    """Yield people here whom two of those who come would become."""
    query = f"""
        SELECT string_agg(came.email, ' and ' ORDER BY came.email)
        FROM enclave.joined_key AS k JOIN {place.staged}.identity_user AS came ON came.id = k.old::uuid
        WHERE k.staged = %s AND k.type_id = %s AND k.was_here GROUP BY k.new HAVING count(*) > 1
    """
    for (names,) in connection.execute(query.encode(), [place.staged, person_type()]):
        yield Clash(Kind.STOPS, "people", str(names), "Both would become the same person. Change an address.")


def _taken(connection: Link, table: Table, both: Both, place: Place) -> Iterator[Clash]:
    """Yield rows for which there is no room, because one here has the same where no two may have it."""
    if table.rule.quietly:
        return
    indexes = connection.execute(_UNIQUE, [both.here.schema, table.name]).fetchall()
    for where, nulls_count, parts in indexes:
        assert isinstance(parts, list)
        value = f"ROW({', '.join(parts)})::text"
        conditions = [f"({where})"] if where else []
        if not nulls_count:
            conditions += [f"({part}) IS NOT NULL" for part in parts]
        condition = " AND ".join(conditions) or "true"
        name = f"concat_ws(', ', {', '.join(f'({part})::text' for part in parts)})"
        query = (
            f"SELECT came.name FROM (SELECT {value} AS value, {name} AS name "
            f"FROM ({rows_of(table, place)}) AS rows WHERE {condition}) AS came "
            f'JOIN (SELECT {value} AS value FROM {both.here.schema}."{table.name}" '
            f"WHERE {condition}) AS here USING (value) ORDER BY 1 LIMIT {MOST_NAMED}"
        )
        columns = ", ".join(str(part).strip('"') for part in parts)
        for (said,) in connection.execute(query.encode()):
            becomes = f"There is one with the same {columns} in {both.here.name}."
            yield Clash(Kind.STOPS, table.said, str(said), becomes)


def _same_people(connection: Link, both: Both, place: Place) -> Iterator[Clash]:
    """Yield people who are in both: they keep what they are here."""
    query = f"""
        SELECT came.name, came.email, here.name, here.is_active, (
            SELECT role.name FROM {both.here.schema}.permissions_membership AS m
            JOIN {both.here.schema}.permissions_role AS role ON role.id = m.role_id
            WHERE m.user_id = here.id AND m.starts_at <= now() AND (m.ends_at IS NULL OR m.ends_at > now())
            LIMIT 1
        )
        FROM enclave.joined_key AS k JOIN {place.staged}.identity_user AS came ON came.id = k.old::uuid
        JOIN {both.here.schema}.identity_user AS here ON here.id = k.new::uuid
        WHERE k.staged = %s AND k.type_id = %s AND k.was_here ORDER BY lower(came.email)
    """
    for name, email, here, is_active, role in connection.execute(
        query.encode(), [place.staged, person_type()]
    ):
        stays = f"stays {role}" if is_active and role else "stays without access"
        called = "" if here == name else f", called {here}"
        yield Clash(
            Kind.SAME_PERSON,
            "people",
            f"{name} ({email})",
            f"Signs in as in {both.here.name}{called}, {stays}.",
        )


def _other_names(connection: Link, both: Both, place: Place) -> Iterator[Clash]:
    by_type = {table.type_id: table for table in tables()}
    query = (
        "SELECT type_id, old, part, said FROM enclave.joined_name WHERE staged = %s ORDER BY type_id, said"
    )
    for kind, old, part, said in connection.execute(query.encode(), [place.staged]).fetchall():
        table = by_type[int(str(kind))]
        row = connection.execute(
            f'SELECT "{part}" FROM {place.staged}."{table.name}" WHERE "{table.key}"::text = %s'.encode(),
            [old],
        ).fetchone()
        becomes = f"Becomes {said}." if not table.rule.names[str(part)] else f"Its address becomes {said}."
        yield Clash(Kind.OTHER_NAME, table.said, str(row[0]) if row else "", becomes)


def _other_roles(connection: Link, place: Place) -> Iterator[Clash]:
    """Yield who was an owner: nobody becomes one by a merge."""
    query = f"""
        SELECT u.name, u.email FROM {place.staged}.permissions_membership AS m
        JOIN {place.staged}.identity_user AS u ON u.id = m.user_id
        WHERE m.role_id = %s AND m.starts_at <= now() AND (m.ends_at IS NULL OR m.ends_at > now())
            AND {_not_here(place, "u.id")}
        ORDER BY lower(u.email)
    """
    for name, email in connection.execute(query.encode(), [OWNER_ID]):
        yield Clash(Kind.OTHER_ROLE, "people", f"{name} ({email})", "Was an owner, becomes an administrator.")


def _powers(connection: Link, both: Both, place: Place) -> Iterator[Clash]:
    """Yield who comes as an administrator, and roles that allow what only owners of here give away."""
    query = f"""
        SELECT u.name, u.email, role.name FROM {place.staged}.permissions_membership AS m
        JOIN {place.staged}.identity_user AS u ON u.id = m.user_id
        JOIN {place.staged}.permissions_role AS role ON role.id = m.role_id
        WHERE role.rank = %s AND m.starts_at <= now() AND (m.ends_at IS NULL OR m.ends_at > now())
            AND {_not_here(place, "u.id")}
        ORDER BY lower(u.email)
    """
    for name, email, role in connection.execute(query.encode(), [ADMIN_RANK]):
        becomes = f"Is {role} and manages people in {both.here.name} from then on."
        yield Clash(Kind.POWER, "people", f"{name} ({email})", becomes)
    query = (
        f"SELECT name, perms FROM {place.staged}.permissions_role WHERE NOT built_in AND retired_at IS NULL"
    )
    for name, held in connection.execute(query.encode()).fetchall():
        assert isinstance(held, list)
        more = perms.closed(perms.every_name() & set(held)) - perms.of_built_in(perms.ADMIN)
        if more:
            said = ", ".join(sorted(perms.known(one).doing for one in more))
            yield Clash(Kind.POWER, "roles", str(name), f"Allows what only owners may: {said}.")


def _not_here(place: Place, person: str) -> str:
    return (
        f"NOT EXISTS (SELECT FROM enclave.joined_key AS k WHERE k.staged = '{place.staged}' "
        f"AND k.type_id = {person_type()} AND k.old = {person}::text AND k.was_here)"
    )


# What people would miss, in words; other tables that stay are nothing that anybody would look for.
_MISSED = (
    ("jobs_job", "state IN ('queued', 'running')", "jobs that have not ended", "They are stopped."),
    ("jobs_outgoingmail", "state = 'waiting'", "mails that wait", "They are not sent."),
    (
        "accounts_invitation",
        "accepted_at IS NULL AND revoked_at IS NULL",
        "open invitations",
        "They end. Invite these people anew.",
    ),
    ("mfa_authenticator", "type = 'webauthn'", "passkeys", "They are good for the old address only."),
    (
        "records_import",
        "state NOT IN ('done', 'undone')",
        "imports that have not ended",
        "Import the file anew.",
    ),
)


def _left_behind(connection: Link, place: Place) -> Iterator[Clash]:
    for table, condition, said, why in _MISSED:
        count = _count(connection, f"SELECT count(*) FROM {place.staged}.{table} WHERE {condition}")
        if count:
            yield Clash(Kind.LEFT_BEHIND, said, f"{count:,}", why, rows=count)
    for model in tenant_models():
        if has_rule(model) and rule_of(model).because and _is_of_a_team(model._meta.app_label):
            count = _count(connection, f'SELECT count(*) FROM {place.staged}."{model._meta.db_table}"')
            if count:
                yield Clash(
                    Kind.LEFT_BEHIND,
                    str(model._meta.verbose_name_plural),
                    f"{count:,}",
                    rule_of(model).because,
                )


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


def _is_of_a_team(label: str) -> bool:
    return label not in OURS
