"""The built-in roles and the row of settings, with the same keys in every organisation."""

from uuid import UUID

from django.db import migrations

BUILT_IN = (
    (1, "owner", "Owner", "May do everything, and decides who owns the organisation.", 400),
    (2, "admin", "Admin", "Runs the organisation: people, groups, roles, sharing and settings.", 300),
    (3, "member", "Member", "Works with all collections and records.", 200),
    (4, "guest", "Guest", "Sees only what is shared with them, and never more than guests may.", 100),
)
CEILING = ["collections.view", "records.view", "records.change"]


def key(number):
    """Return one of this room's fixed keys."""
    return UUID(f"00000000-0000-7000-8000-{number:012d}")


def fill(apps, schema_editor):
    """Write the rows that are missing."""
    roles = apps.get_model("permissions", "Role").objects
    roles.bulk_create(
        [
            roles.model(
                id=key(number),
                code=code,
                name=name,
                description=description,
                rank=rank,
                built_in=True,
                is_guest=code == "guest",
            )
            for number, code, name, description, rank in BUILT_IN
        ],
        ignore_conflicts=True,
    )
    settings = apps.get_model("permissions", "PermissionSettings").objects
    settings.bulk_create([settings.model(id=key(5), guest_ceiling=CEILING)], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("permissions", "0002_periods_never_overlap")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=False)]
