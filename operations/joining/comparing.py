"""What two organisations have both, and what becomes of it; what would be lost; and what stops everything.

Looked up in the copy and in the one that the rows come to, after it was decided which row is which.
"""

from collections.abc import Iterator

from audit.checks import tenant_models
from operations.joining.clashes import OURS, Clash, Found, Kind, count, counted
from operations.joining.link import Link, opened
from operations.joining.shape import Place, Table, person_type, rows_of, tables
from operations.joining.staging import Both
from permissions import perms
from permissions.models.roles import ADMIN_RANK, OWNER_ID
from tenants.joining import has_rule, rule_of

# Of one table and one reason. Who has more has another problem than which these are.
MOST_NAMED = 1_000
_UNIQUE = """
SELECT pg_get_expr(index.indpred, index.indrelid), index.indnullsnotdistinct,
    (SELECT array_agg(pg_get_indexdef(index.indexrelid, place, true) ORDER BY place)
     FROM generate_series(1, index.indnkeyatts) AS place)
FROM pg_index AS index JOIN pg_class AS class ON class.oid = index.indrelid
WHERE class.relnamespace = %s::regnamespace AND class.relname = %s AND index.indisunique
ORDER BY index.indexrelid
"""


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
            *_ceilings(connection, both, place),
            *_left_behind(connection, place),
        ]
        rows = counted(connection, place)
    return Found(tuple(clashes), rows)


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


def _ceilings(connection: Link, both: Both, place: Place) -> Iterator[Clash]:
    """Yield what guests who come may hold here, and could not hold where they were."""
    query = "SELECT guest_ceiling FROM {}.permissions_permissionsettings"
    here, there = (
        {str(name) for row in connection.execute(query.format(schema).encode()) for name in _names(row[0])}
        for schema in (both.here.schema, place.staged)
    )
    more = sorted(perms.known(name).doing for name in (here - there) & perms.every_name())
    guests = count(
        connection,
        f"SELECT count(*) FROM {place.staged}.permissions_membership AS m "
        f"JOIN {place.staged}.permissions_role AS role ON role.id = m.role_id "
        "WHERE role.is_guest AND (m.ends_at IS NULL OR m.ends_at > now())",
    )
    if more and guests:
        becomes = f"Guests may hold more in {both.here.name}: {', '.join(more)}."
        yield Clash(Kind.POWER, "guests", f"{guests:,}", becomes, rows=guests)


def _names(kept: object) -> list[object]:
    return kept if isinstance(kept, list) else []


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
        number = count(connection, f"SELECT count(*) FROM {place.staged}.{table} WHERE {condition}")
        if number:
            yield Clash(Kind.LEFT_BEHIND, said, f"{number:,}", why, rows=number)
    for model in tenant_models():
        if has_rule(model) and rule_of(model).because and model._meta.app_label not in OURS:
            number = count(connection, f'SELECT count(*) FROM {place.staged}."{model._meta.db_table}"')
            if number:
                said = str(model._meta.verbose_name_plural)
                yield Clash(Kind.LEFT_BEHIND, said, f"{number:,}", rule_of(model).because, rows=number)
