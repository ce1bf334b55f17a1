"""Periods of one person never overlap: in the organisation, and in each group."""

from django.db import migrations


def halves(column):
    """Return the two halves of a UUID as ranges of one number each, which GiST can compare."""
    digits = f"replace({column}::text, '-', '')"
    return ", ".join(
        f"(int8range({number}, {number}, '[]')) WITH &&"
        for number in (f"('x' || {side}({digits}, 16))::bit(64)::bigint" for side in ("left", "right"))
    )


def apart(name, table, same):
    """Return the operation that keeps periods of one table apart."""
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} "
        f"EXCLUDE USING gist ({same}, (tstzrange(starts_at, ends_at)) WITH &&)",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("permissions", "0001_roles_groups_grants")]

    operations = [
        apart("membership_periods_apart", "permissions_membership", halves("user_id")),
        apart(
            "group_membership_periods_apart",
            "permissions_groupmembership",
            halves("user_id") + ", (int8range(group_id, group_id, '[]')) WITH &&",
        ),
    ]
