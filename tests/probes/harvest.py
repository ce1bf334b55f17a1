"""Everything in an organisation that could name something of it: ids, keys, numbers."""

from django.db import connections

from records import rooms
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.probes.addresses import ROOM

# Rows that are the same in every organisation name nothing of anybody's.
_SHARED = ("django_migrations", "django_content_type", "auth_permission", "permissions_role")


def everything(organisation: Organisation) -> dict[str, list[object]]:
    """Return the values of all columns that identify rows, by the converter they fit into."""
    uuids: set[str] = set()
    numbers: set[int] = set()
    words: set[str] = set()
    with enter(organisation, actor=Actor.system("harvest")), connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND (data_type IN ('uuid', 'bigint', 'integer') "
            "OR column_name IN ('key', 'slug'))"
        )
        for table, column, kind in cursor.fetchall():
            if table in _SHARED:
                continue
            cursor.execute(f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL LIMIT 60')
            values = [value for (value,) in cursor.fetchall()]
            if kind == "uuid":
                uuids.update(str(value) for value in values)
            elif kind in ("bigint", "integer"):
                numbers.update(value for value in values if value > 0)
            else:
                words.update(str(value) for value in values)
    found: dict[str, list[object]] = {
        "UUIDConverter": list[object](sorted(uuids)),
        "IntConverter": list[object](sorted(numbers)[:20]),
        "SlugConverter": list[object](sorted(words)),
        "StringConverter": list[object](sorted(words | uuids)),
        ROOM: [room.key for room in rooms.registered()],
    }
    return found


def only_in(one: dict[str, list[object]], other: dict[str, list[object]]) -> dict[str, list[object]]:
    """Return what lies in `one` and not in `other`; what means something everywhere stays."""
    return {
        kind: values
        if kind in ("IntConverter", ROOM)
        else [value for value in values if value not in set(other[kind])]
        for kind, values in one.items()
    }
