"""System checks of the walls: what is missing or misplaced is an error before the first request."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Warning, register  # Django's name
from django.db.migrations.loader import MigrationLoader

from tenants.capabilities import columns, declared, problem_with
from tenants.explicit_ids import content_type_id, permission_id, permissions_of
from tenants.routers import Home, UnknownPlane, home_of


def install() -> None:
    """Register the checks."""
    register(every_app_has_a_plane)
    register(no_key_crosses_planes)
    register(explicit_ids_differ)
    register(capabilities_can_be_missing)


def every_app_has_a_plane(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which apps with models stand in no plane."""
    errors: list[CheckMessage] = []
    for config in apps.get_app_configs():
        if not any(config.get_models()):
            continue
        try:
            home_of(config.label)
        except UnknownPlane as problem:
            errors.append(Error(str(problem), id="tenants.E001"))
    return errors


def no_key_crosses_planes(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which foreign keys lead from one plane to another."""
    errors: list[CheckMessage] = []
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if not getattr(field, "concrete", False) or target is None or isinstance(target, str):
                continue
            if not _may_point(home_of(model._meta.app_label), home_of(target._meta.app_label)):
                errors.append(Error(f"{model._meta.label}.{field.name} leaves its plane.", id="tenants.E002"))
    return errors


def _may_point(source: str, target: str) -> bool:
    return target in (source, Home.TWIN) if source != Home.TWIN else target == Home.TWIN


def explicit_ids_differ(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which two content types or permissions were given the same id by their digests."""
    seen: dict[tuple[str, int], str] = {}
    errors: list[CheckMessage] = []
    for model in apps.get_models():
        label, name = model._meta.app_label, model._meta.model_name or ""
        ids = [("content type", content_type_id(label, name), f"{label}.{name}")]
        for codename, _ in permissions_of(model):
            ids.append(("permission", permission_id(label, name, codename), f"{label}.{name}.{codename}"))
        for kind, number, natural in ids:
            other = seen.setdefault((kind, number), natural)
            if other != natural:
                errors.append(Error(f"{kind} {natural} has the id of {other}.", id="tenants.E003"))
    return errors


def capabilities_can_be_missing(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which capability has no migration, and which of its columns cannot be missing."""
    errors: list[CheckMessage] = []
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations if declared() else {}
    for one in declared():
        if one.since not in known:
            # No error: it would keep makemigrations from making it. Until then nobody has it.
            said = f"{one.name} is brought by {one.migration}, which does not exist."
            errors.append(Warning(said, id="tenants.W001"))
    for field, one in columns().items():
        if said := problem_with(field):
            named = f"{field.model._meta.label}.{field.name}"
            errors.append(Error(f"{named}, brought by {one.name}, {said}.", id="tenants.E005"))
    return errors
