"""The start-up check: nothing of the tenant plane is forgotten."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.db.models import Model

from audit.registry import Trail, trail
from tenants.routers import Home, UnknownPlane, home_of


def install() -> None:
    """Register the check."""
    register(nothing_is_forgotten)


def tenant_models() -> Iterator[type[Model]]:
    """Yield every model with a table of its own in the tenant plane, hidden link tables too."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or model._meta.swapped:
            continue
        try:
            home = home_of(model._meta.app_label)
        except UnknownPlane:
            continue  # tenants.E001 says so
        if home in (Home.TENANT, Home.TWIN):
            yield model


def forgotten(registry: Trail) -> list[type[Model]]:
    """Return the models that are neither registered nor excluded."""
    return [model for model in tenant_models() if not registry.knows(model)]


def nothing_is_forgotten(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which models of the tenant plane are neither captured nor excluded with a reason."""
    return [
        Error(
            f"The trail neither captures nor excludes {model._meta.label}.",
            hint=f"Register it in {model._meta.app_label}/audit.py, or exclude it there with a reason.",
            id="audit.E001",
        )
        for model in forgotten(trail)
    ]
