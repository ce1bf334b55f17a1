"""What of a split has two claims, what is in both afterwards, and what is lost: found in the copy.

As for a merge (operations.joining.clashes) the list names people and things, and stays on the shard.
"""

from collections.abc import Iterator

from django.contrib.auth.models import Group
from psycopg import sql

from accounts.identity.models import User
from audit.checks import tenant_models
from operations.joining.clashes import OURS, Clash, Found, Kind, count, counted
from operations.joining.link import Link, opened
from operations.joining.picking import Picks, chosen
from operations.joining.shape import Place, owners, tables_of
from permissions.models.roles import OWNER_ID
from records.indexes.rules import KIND
from records.models import Collection
from records.values import FieldType
from tenants.joining import has_rule, rule_of


def find(alias: str, place: Place, picks: Picks, *, are_aside: bool = False) -> Found:
    """Look everything up; `are_aside`: what goes lies in the bin already."""
    with opened(alias) as connection:
        clashes = [
            *([] if are_aside else _missing(connection, place, picks)),
            *_stopping(connection, place, picks),
            *_people(connection, place),
            *_groups(connection, place),
            *_links(connection, place),
            *_shares(connection, place),
            *_rooms(connection, place),
        ]
        rows = counted(connection, place)
    return Found(tuple(clashes), rows)


def _missing(connection: Link, place: Place, picks: Picks) -> Iterator[Clash]:
    """Yield what was chosen and is not there."""
    known = _names(connection, place, "records_collection", picks.collections)
    for key in picks.collections:
        if key not in known:
            yield Clash(Kind.STOPS, "collections", key, "There is no such collection outside the bin.")


# Jobs that change many records, convert a field, or take a change back. Indexes are no records.
_WORK = """
SELECT count(*) FROM {s}.jobs_job AS j WHERE j.state IN ('queued', 'running') AND j.kind <> {index} AND (
    j.payload ->> 'collection' IN ({goes}) OR j.payload ->> 'field' IN (SELECT f.id::text FROM
    {s}.records_field AS f WHERE f.collection_id::text IN ({goes})) OR j.payload ->> 'token' IN (SELECT
    u.token::text FROM {s}.records_undostep AS u WHERE u.collection_id::text IN ({goes}))
)
"""


def _stopping(connection: Link, place: Place, picks: Picks) -> Iterator[Clash]:
    """Yield what makes a split impossible as it was chosen."""
    if not picks.collections:
        yield Clash(Kind.STOPS, "collections", "none", "Nothing was chosen to go.")
    people = connection.execute(
        sql.SQL(
            "SELECT u.id::text, u.email, u.is_active FROM {}.identity_user AS u WHERE u.id::text = ANY (%s)"
        ).format(sql.Identifier(place.staged)),
        [[*picks.people, picks.owner]],
    ).fetchall()
    found = {str(key): is_active for key, _, is_active in people}
    for key in {*picks.people, picks.owner} - set(found):
        yield Clash(Kind.STOPS, "people", key, "There is nobody with this id.")
    if picks.owner not in picks.people or not found.get(picks.owner):
        yield Clash(
            Kind.STOPS, "people", picks.owner, "Its first owner has to be somebody who goes or is in both."
        )
    remaining = connection.execute(
        sql.SQL(
            "SELECT count(*) FROM {}.permissions_membership AS m JOIN {}.identity_user AS u "
            "ON u.id = m.user_id WHERE m.role_id = %s AND m.ends_at IS NULL AND u.is_active "
            "AND u.id::text <> ALL (%s)"
        ).format(sql.Identifier(place.staged), sql.Identifier(place.staged)),
        [OWNER_ID, picks.goes],
    ).fetchone()
    if not remaining or not remaining[0]:
        yield Clash(Kind.STOPS, "people", "owners", "Nobody would be left who owns the organisation.")
    work = sql.SQL(_WORK).format(
        s=sql.Identifier(place.staged),
        index=sql.Literal(KIND),
        goes=chosen(place, Collection, "goes"),
    )
    if number := count(connection, work):
        yield Clash(
            Kind.STOPS, "jobs", f"{number:,}", "They have not ended, and change what goes.", rows=number
        )
    busy = sql.SQL(
        "SELECT count(*) FROM {}.records_import "
        "WHERE state NOT IN ('done', 'undone', 'refused') AND collection_id IN ({})"
    ).format(sql.Identifier(place.staged), chosen(place, Collection, "goes", as_type="uuid"))
    if number := count(connection, busy):
        yield Clash(
            Kind.STOPS, "imports", f"{number:,}", "They have not ended, and are into what goes.", rows=number
        )


def _names(connection: Link, place: Place, table: str, keys: list[str]) -> dict[str, str]:
    rows = connection.execute(
        sql.SQL("SELECT id::text, name FROM {} WHERE id::text = ANY (%s) AND deleted_at IS NULL").format(
            sql.Identifier(place.staged, table)
        ),
        [keys],
    )
    return {str(key): str(name) for key, name in rows}


def _people(connection: Link, place: Place) -> Iterator[Clash]:
    for how, kind, becomes in (
        ("both", Kind.IN_BOTH, "Is a person of both, with a password each from then on."),
        ("named", Kind.BY_NAME, "Is named by something that goes, and cannot sign in there."),
    ):
        query = sql.SQL(
            "SELECT name, email FROM {}.identity_user WHERE id::text IN ({}) ORDER BY lower(email)"
        )
        for name, email in connection.execute(
            query.format(sql.Identifier(place.staged), chosen(place, User, how))
        ):
            yield Clash(kind, "people", f"{name} ({email})", becomes)


def _groups(connection: Link, place: Place) -> Iterator[Clash]:
    query = sql.SQL("SELECT name FROM {}.auth_group WHERE id::text IN ({}) ORDER BY name")
    for (name,) in connection.execute(
        query.format(sql.Identifier(place.staged), chosen(place, Group, "both"))
    ):
        yield Clash(Kind.IN_BOTH, "groups", str(name), "Is there in both, each with its own people.")


_LINKS = """
SELECT c.name, f.name, f.options ->> 'collection_name', count(*)
FROM {staged}.records_field AS f JOIN {staged}.records_collection AS c ON c.id = f.collection_id
JOIN {staged}.records_record AS r ON r.collection_id = c.id AND r."values" ? f.key
WHERE f.type = {record} AND f.deleted_at IS NULL AND (c.deleted_at IS NULL OR c.id::text IN ({goes}))
    AND (c.id::text IN ({goes})) <> ((f.options ->> 'collection') IN ({goes}))
GROUP BY 1, 2, 3 ORDER BY 1, 2
"""


def _links(connection: Link, place: Place) -> Iterator[Clash]:
    """Yield fields of which one end goes and the other one stays."""
    query = sql.SQL(_LINKS).format(
        staged=sql.Identifier(place.staged),
        record=sql.Literal(FieldType.RECORD.value),
        goes=chosen(place, Collection, "goes"),
    )
    for collection, name, other, number in connection.execute(query):
        said = f"{collection}, {name}" + (f" (to {other})" if other else "")
        yield Clash(
            Kind.CROSSES, "links", said, f"{number:,} of them lead to nothing then.", rows=int(str(number))
        )


def _shares(connection: Link, place: Place) -> Iterator[Clash]:
    """Yield who sees something that goes, and does not go."""
    query = sql.SQL(
        "SELECT u.name, u.email, count(*) FROM ("
        "SELECT g.user_id FROM {s}.records_collectionusergrant AS g WHERE g.content_object_id IN ({goes}) "
        "UNION ALL SELECT g.user_id FROM {s}.records_recordusergrant AS g JOIN {s}.records_record AS r "
        "ON r.id = g.content_object_id WHERE r.collection_id IN ({goes})) AS held "
        "JOIN {s}.identity_user AS u ON u.id = held.user_id WHERE u.id::text NOT IN ({people}) "
        "GROUP BY 1, 2 ORDER BY 2"
    ).format(
        s=sql.Identifier(place.staged),
        goes=chosen(place, Collection, "goes", as_type="uuid"),
        people=chosen(place, User, "goes", "both"),
    )
    for name, email, number in connection.execute(query):
        yield Clash(Kind.LOSES, "people", f"{name} ({email})", f"Holds {number:,} permissions on what goes.")


def _rooms(connection: Link, place: Place) -> Iterator[Clash]:
    """Yield tables of teams' own apps, of which nothing was chosen."""
    for model in tenant_models():
        is_root = has_rule(model) and not any(True for _, parent in owners(model) for _ in tables_of(parent))
        if (
            not is_root
            or rule_of(model).because
            or model in (User, Group, Collection)
            or model._meta.app_label in OURS
        ):
            continue
        if number := count(connection, f'SELECT count(*) FROM {place.staged}."{model._meta.db_table}"'):
            said = str(model._meta.verbose_name_plural)
            yield Clash(Kind.LEFT_BEHIND, said, f"{number:,}", "They stay where they are.", rows=number)
