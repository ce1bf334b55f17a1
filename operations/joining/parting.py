"""What a split changes where something goes from: it is out of sight, and goes for good later.

Between the two it can all be put back, because it lies in the bin, and the copy says what was ended.
"""

from psycopg import sql

from accounts.identity.models import Session, User
from operations.joining.carrying import Tell, work_off
from operations.joining.link import Link, inside, opened
from operations.joining.picking import chosen
from operations.joining.removing import drop_indexes, indexes_of, removing
from operations.joining.shape import Place, Table
from operations.joining.staging import Both
from operations.restoring import places, swapping
from records.models import Collection, Field, Record, RecordFile
from tenants.joining import rule_of
from tenants.placement import Tenant

# Of the tables whose rows belong to a collection, these; the others follow them.
_GOING = (RecordFile, Record, Field, Collection)


def put_aside(source: Tenant, collections: list[str], *, by: str) -> None:
    """Put collections into the bin, once nobody is inside who could still change something of them."""

    def put(connection: Link) -> None:
        connection.execute(
            f"UPDATE {Collection._meta.db_table} SET deleted_at = clock_timestamp(), deleted_by = NULL "
            "WHERE id = ANY (%s::uuid[]) AND deleted_at IS NULL".encode(),
            [collections],
        )

    swapping.fenced(places.owner_address(source.alias), source.schema, put, by=by)


def bring_back(source: Tenant, collections: list[str], *, by: str) -> None:
    """Take collections out of the bin again."""
    with opened(source.alias) as connection, inside(connection, source.schema, by=by):
        connection.execute(
            f"UPDATE {Collection._meta.db_table} SET deleted_at = NULL, deleted_by = NULL "
            "WHERE id = ANY (%s::uuid[]) AND deleted_at IS NOT NULL".encode(),
            [collections],
        )


_ENDS = (
    "UPDATE {table} AS m SET ends_at = greatest(m.starts_at, {moment}) "
    "WHERE m.user_id::text IN ({goes}) AND (m.ends_at IS NULL OR m.ends_at > {moment})"
)
_BEGINS_AGAIN = (
    "UPDATE {table} AS m SET ends_at = was.ends_at FROM {staged} AS was "
    "WHERE was.id = m.id AND m.user_id::text IN ({goes}) AND m.ends_at IS DISTINCT FROM was.ends_at"
)
_PERIODS = ("permissions_membership", "permissions_groupmembership")


# How a new organisation begins: in the time zone and the colour of the one it comes from, and as careful with
# guests.
_LOOK = """
INSERT INTO accounts_organisationprofile (id, display_name, mark, accent, logo, logo_digest, time_zone)
SELECT id, '', '', accent, NULL, '', time_zone FROM {}
ON CONFLICT (id) DO UPDATE SET accent = excluded.accent, time_zone = excluded.time_zone
"""
_CEILING = """
UPDATE permissions_permissionsettings AS mine SET guest_ceiling = was.guest_ceiling FROM {} AS was WHERE
was.id = mine.id
"""
_BEGINS_AS = (("accounts_organisationprofile", _LOOK), ("permissions_permissionsettings", _CEILING))


def settle_in(both: Both, place: Place, *, by: str) -> None:
    """Let the new organisation begin with some settings of the one that it comes from. May be repeated."""
    with opened(both.here.alias) as connection, inside(connection, both.here.schema, by=by):
        for table, query in _BEGINS_AS:
            connection.execute(sql.SQL(query).format(sql.Identifier(place.staged, table)))


def let_go(both: Both, place: Place, *, by: str) -> None:
    """End the memberships of those who go, from the moment on from which they belong elsewhere."""
    with opened(both.comes.alias) as connection, inside(connection, both.comes.schema, by=by):
        goes = chosen(place, User, "goes")
        for table in _PERIODS:
            connection.execute(
                sql.SQL(_ENDS).format(
                    table=sql.Identifier(table), moment=sql.Literal(place.moment), goes=goes
                )
            )
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE user_id::text IN ({})").format(
                sql.Identifier(Session._meta.db_table), goes
            )
        )
        connection.execute(
            sql.SQL("UPDATE {} SET is_active = false WHERE is_active AND id::text IN ({})").format(
                sql.Identifier(User._meta.db_table), goes
            )
        )


def take_in_again(both: Both, place: Place, *, by: str) -> None:
    """Let those who went be members again, as the copy says that they were."""
    with opened(both.comes.alias) as connection, inside(connection, both.comes.schema, by=by):
        goes = chosen(place, User, "goes")
        connection.execute(
            sql.SQL(
                "UPDATE {table} AS u SET is_active = true FROM {staged} AS was "
                "WHERE was.id = u.id AND was.is_active AND NOT u.is_active AND u.id::text IN ({goes})"
            ).format(
                table=sql.Identifier(User._meta.db_table),
                staged=sql.Identifier(place.staged, User._meta.db_table),
                goes=goes,
            )
        )
        for table in _PERIODS:
            connection.execute(
                sql.SQL(_BEGINS_AGAIN).format(
                    table=sql.Identifier(table), staged=sql.Identifier(place.staged, table), goes=goes
                )
            )


def remove(both: Both, place: Place, *, by: str, tell: Tell) -> None:
    """Delete what went, where it was."""
    # Where rows are removed is where they came from, not where they went.
    there = Both(comes=both.comes, here=both.comes)
    with opened(there.here.alias) as connection:
        names = indexes_of(connection, there, place)
        for model in _GOING:
            step = removing(Table(model, rule_of(model)), there, place, "what went: ", even_if_changed=True)
            work_off(connection, there, place, step, by=by, tell=tell)
        names -= indexes_of(connection, there, place)
    drop_indexes(there, names)
