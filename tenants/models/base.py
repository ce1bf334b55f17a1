"""Base models of the two planes."""

from collections.abc import Collection, Iterable
from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Func, signals

from tenants.context import Plane, current, verify_instance
from tenants.routers import Home, home_of

# Kept by Django for the whole process, with the same ids in every schema (tenants.explicit_ids).
_SAME_EVERYWHERE = frozenset({"contenttypes.ContentType", "auth.Permission"})


class UUIDv7(Func):
    """PostgreSQL 18's `uuidv7()`: ordered by time, unique everywhere, never renumbered by a move."""

    function = "uuidv7"
    template = "uuidv7()"
    output_field = models.UUIDField()


class BelongsToTenant(models.Model):
    """A row that remembers which tenant it was loaded for and refuses to be used for another."""

    class Meta:
        abstract = True

    _enclave_schema: str | None = None

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> Self:
        instance = super().from_db(db, field_names, values, **options)
        instance._enclave_schema = _schema_now()
        return instance

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        verify_instance(self, self._state.db or "")
        super().save_base(*args, **kwargs)
        self._enclave_schema = _schema_now()

    def _prepare_related_fields_for_save(self, *args: Any, **kwargs: Any) -> None:
        # The one step through which bulk_create and bulk_update lead every row.
        verify_instance(self, self._state.db or "")
        super()._prepare_related_fields_for_save(*args, **kwargs)  # type: ignore[misc]  # not in the stubs

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        verify_instance(self, self._state.db or "")
        return super().delete(using=using, keep_parents=keep_parents)

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        verify_instance(self, self._state.db or "")
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)


def _schema_now() -> str | None:
    context = current()
    return context.schema if context is not None and context.plane is Plane.TENANT else None


def guard_rows_of_others() -> None:
    """Let the rows of other people's apps remember their tenant too.

    Their keys are numbers, and the same number is somebody else's row in every other schema.
    """
    for model in apps.get_models(include_auto_created=True):
        if issubclass(model, BelongsToTenant) or model._meta.label in _SAME_EVERYWHERE:
            continue
        if home_of(model._meta.app_label) in (Home.TENANT, Home.TWIN):
            signals.post_init.connect(_remember, sender=model, dispatch_uid="enclave")
            for about_to_write in (signals.pre_save, signals.pre_delete):
                about_to_write.connect(_verify, sender=model, dispatch_uid="enclave")


def _remember(instance: Any, **kwargs: Any) -> None:
    instance._enclave_schema = _schema_now()


def _verify(instance: Any, **kwargs: Any) -> None:
    verify_instance(instance, instance._state.db or "")


class TenantRow(BelongsToTenant):
    """Base of every row of ours in the tenant plane."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)

    class Meta:
        abstract = True


class ControlRow(models.Model):
    """Base of every row of ours in the control plane."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)

    class Meta:
        abstract = True
