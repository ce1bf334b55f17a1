"""Which migrations make up an organisation's schema."""

from django.db.migrations import Migration

from tenants.routers import Home, home_of

Key = tuple[str, str]


def counts(app_label: str) -> bool:
    """Return whether migrations of this app change an organisation's schema."""
    return home_of(app_label) in (Home.TENANT, Home.TWIN)


def recorded_as(migration: Migration) -> list[Key]:
    """Return the keys under which a migration is written down once applied."""
    own = (migration.app_label, migration.name)
    return [*((app, name) for app, name in migration.replaces), own]
