"""Who and what goes when an organisation is split, in the copy that its rows come from.

Collections and people are chosen; what belongs to them goes with them. What is worked out here is the rest:
groups and roles that those who go need there as well, and people who are only named by what goes.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from psycopg import sql

from accounts.identity.models import User
from operations.joining.link import Link
from operations.joining.shape import Place, type_of
from permissions.models import Role
from records.models import Collection
from records.values import FieldType


@dataclass(frozen=True, slots=True)
class Picks:
    """What was chosen, as ids: what and who goes, who is in both, and the first owner there."""

    owner: str
    collections: list[str] = field(default_factory=list)
    goes: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, kept: dict[str, Any]) -> "Picks":
        """Return what was kept of a choice."""
        return cls(kept["owner"], kept["collections"], kept["goes"], kept["both"])

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)

    @property
    def people(self) -> list[str]:
        """Return everybody who belongs there afterwards."""
        return [*self.goes, *self.both]


# Groups that hold something that goes, or in which somebody is who goes; own roles of everybody who is there.
_GROUPS = """
SELECT g.group_id::text FROM {staged}.records_collectiongroupgrant AS g
WHERE g.content_object_id IN ({collections})
UNION SELECT g.group_id::text FROM {staged}.records_recordgroupgrant AS g
JOIN {staged}.records_record AS r ON r.id = g.content_object_id WHERE r.collection_id IN ({collections})
UNION SELECT m.group_id::text FROM {staged}.permissions_groupmembership AS m
WHERE m.user_id::text IN ({goes}) AND (m.ends_at IS NULL OR m.ends_at > {moment})
"""
_ROLES = """
SELECT m.role_id::text FROM {staged}.permissions_membership AS m
WHERE m.user_id::text IN ({people}) AND (m.ends_at IS NULL OR m.ends_at > {moment})
"""
_NAMED = """
SELECT u.id::text FROM {staged}.identity_user AS u WHERE u.id IN (
    SELECT created_by FROM {staged}.records_record WHERE collection_id IN ({collections})
    UNION SELECT updated_by FROM {staged}.records_record WHERE collection_id IN ({collections})
    UNION SELECT created_by FROM {staged}.records_collection WHERE id IN ({collections})
    UNION SELECT f.created_by FROM {staged}.records_recordfile AS f
        JOIN {staged}.records_record AS r ON r.id = f.record_id WHERE r.collection_id IN ({collections})
    UNION SELECT created_by FROM {staged}.records_import WHERE collection_id IN ({collections})
    UNION SELECT (r."values" ->> f.key)::uuid FROM {staged}.records_record AS r
        JOIN {staged}.records_field AS f ON f.collection_id = r.collection_id AND f.type = {person}
        WHERE r.collection_id IN ({collections})
)
"""


def pick(connection: Link, place: Place, picks: Picks) -> None:
    """Write down who and what goes. May be repeated, in a transaction of the caller's."""
    connection.execute("DELETE FROM enclave.joined_pick WHERE staged = %s", [place.staged])
    _add(connection, place, type_of(Collection), picks.collections, "goes")
    _add(connection, place, type_of(User), picks.goes, "goes")
    _add(connection, place, type_of(User), picks.both, "both")
    for model, query, how in ((Group, _GROUPS, "both"), (Role, _ROLES, "both"), (User, _NAMED, "named")):
        rows = connection.execute(_filled(query, place))
        _add(connection, place, type_of(model), [str(key) for (key,) in rows], how)


def _add(connection: Link, place: Place, kind: int, keys: list[str], how: str) -> None:
    connection.execute(
        "INSERT INTO enclave.joined_pick (staged, type_id, key, how) SELECT %s, %s, key, %s "
        "FROM unnest(%s::text[]) AS key ON CONFLICT DO NOTHING",
        [place.staged, kind, how, keys],
    )


def chosen(place: Place, model: type[Any], *hows: str, as_type: str = "text") -> sql.Composed:
    """Return the query of the keys of a model that were picked in these ways."""
    return sql.SQL(
        "SELECT key::{} FROM enclave.joined_pick WHERE staged = {} AND type_id = {} AND how = ANY ({})"
    ).format(
        sql.SQL(as_type), sql.Literal(place.staged), sql.Literal(type_of(model)), sql.Literal(list(hows))
    )


def _filled(query: str, place: Place) -> sql.Composed:
    return sql.SQL(query).format(
        staged=sql.Identifier(place.staged),
        collections=chosen(place, Collection, "goes", as_type="uuid"),
        goes=chosen(place, User, "goes"),
        people=chosen(place, User, "goes", "both"),
        moment=sql.Literal(place.moment),
        person=sql.Literal(FieldType.PERSON.value),
    )
