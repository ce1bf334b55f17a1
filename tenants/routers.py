"""The router: which database a model's rows live in, by plane and context."""

from typing import Any

from django.conf import settings
from django.db.models import Model

from tenants.context import CONTROL, NoTenant, Plane, WrongTenant, current, required


class Home:
    """Where the models of an app live."""

    CONTROL = "control"
    TENANT = "tenant"
    TWIN = "twin"


class UnknownPlane(LookupError):
    """An app is installed but stands in none of CONTROL_APPS, TENANT_APPS and TWIN_APPS."""


def home_of(app_label: str) -> str:
    """Return the plane of an app's models; raise UnknownPlane for an app nobody has placed."""
    if app_label in settings.CONTROL_LABELS:
        return Home.CONTROL
    if app_label in settings.TENANT_LABELS:
        return Home.TENANT
    if app_label in settings.TWIN_LABELS:
        return Home.TWIN
    raise UnknownPlane(f"App {app_label!r} stands in no plane: add it to settings.")


class PlaneRouter:
    """Sends each model to its plane, and refuses what has none."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return the alias for a model; raise NoTenant for tenant rows outside a tenant."""
        home = home_of(model._meta.app_label)
        if home == Home.CONTROL:
            return CONTROL
        context = required() if home == Home.TWIN else self._tenant_context(model)
        if context.plane is Plane.SHARD:
            raise NoTenant(f"{model._meta.label} is asked for on a bare shard.")
        return context.alias

    db_for_write = db_for_read

    def _tenant_context(self, model: type[Model]) -> Any:
        context = current()
        if context is None or context.plane is Plane.CONTROL:
            raise NoTenant(f"{model._meta.label} belongs to an organisation; enter one first.")
        return context

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool:
        """Allow relations inside one database only; rows of two tenants never meet."""
        one, two = (getattr(row, "_enclave_schema", None) for row in (first, second))
        if one and two and one != two:
            raise WrongTenant(f"{first._meta.label} and {second._meta.label} belong to two organisations.")
        bases = {row._state.db for row in (first, second)} - {None}
        return len(bases) <= 1

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Let each plane's tables be made in that plane only, and a shard's in a schema only."""
        home = home_of(app_label)
        if db == CONTROL:
            return home in (Home.CONTROL, Home.TWIN)
        context = current()
        return context is not None and context.alias == db and home in (Home.TENANT, Home.TWIN)
