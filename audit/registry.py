"""The one list of what the trail captures, excludes, masks and keeps apart as personal.

It is an instance of django-auditlog's registry, so that its tools find our models; none of its
signals is connected, because the triggers compiled from this list see every way of writing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from auditlog.registry import AuditlogModelRegistry
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import AutoField, BigAutoField, IntegerField, Model, UUIDField

from tenants.explicit_ids import content_type_id
from tenants.sizes import large

_WHOLE_NUMBERS = (AutoField, BigAutoField, IntegerField)


@dataclass(frozen=True, slots=True)
class Captured:
    """How one table is captured; columns of the database, not fields of the model.

    `documents` are JSON, `plain` are UUIDs. `bulk` tables are captured a statement at a time. `strict`
    tables refuse a write without an actor. `subject` is the column that says whom personal ones are about.
    """

    table: str
    label: str
    type_id: int
    key: str
    columns: tuple[str, ...]
    excluded: tuple[str, ...]
    masked: tuple[str, ...]
    personal: tuple[str, ...]
    documents: tuple[str, ...]
    plain: tuple[str, ...]
    subject: str
    bulk: bool
    strict: bool

    def code(self, verb: str) -> str:
        """Return the code of a row's event: `records.record.added`."""
        return f"{self.label}.{verb}"


class Trail(AuditlogModelRegistry):  # type: ignore[misc]  # the library has no types
    """Registered and excluded models of the tenant plane. Registering again replaces what was said."""

    def __init__(self) -> None:
        # Not the parent's: it connects signals, and imports models before the apps are loaded.
        self._registry: dict[type[Model], dict[str, Any]] = {}
        self._signals: dict[Any, Any] = {}
        self._m2m_signals: defaultdict[type[Model], dict[str, Any]] = defaultdict(dict)
        self._m2m = False
        self._captured: dict[type[Model], Captured] = {}
        self._excluded: dict[type[Model], str] = {}

    def register(
        self,
        model: type[Model],
        *,
        exclude_fields: Iterable[str] = (),
        mask_fields: Iterable[str] = (),
        personal: Iterable[str] = (),
        subject: str = "",
        bulk: bool = False,
        strict: bool = True,
    ) -> None:
        """Capture every change of `model`.

        Values of `mask_fields` are never stored, those of `personal` are stored apart and can be
        erased; `subject` names the field that says whose they are (default: the row itself, if its
        key is a UUID). Raises ImproperlyConfigured for a field that the model does not have.
        """
        names = {"exclude_fields": exclude_fields, "mask_fields": mask_fields, "personal": personal}
        columns = {option: tuple(_column(model, name) for name in given) for option, given in names.items()}
        super().register(model, exclude_fields=list(exclude_fields), mask_fields=list(mask_fields))
        self._excluded.pop(model, None)
        self._captured[model] = _captured(model, columns, subject=subject, bulk=bulk, strict=strict)
        if bulk:
            large(model, because="It is captured a statement at a time, because so much is written at once.")

    def exclude(self, model: type[Model], *, reason: str) -> None:
        """Say that changes of `model` are not captured, and why."""
        if not reason.strip():
            raise ImproperlyConfigured(f"{model._meta.label} is excluded from the trail without a reason.")
        self.unregister(model)
        self._captured.pop(model, None)
        self._excluded[model] = reason

    def knows(self, model: type[Model]) -> bool:
        """Return whether `model` is registered or excluded."""
        return model in self._captured or model in self._excluded

    def captured(self) -> list[Captured]:
        """Return how every registered table is captured, by table name."""
        return sorted(self._captured.values(), key=lambda one: one.table)

    def captured_for(self, model: type[Model]) -> Captured:
        """Return how `model` is captured; raise KeyError if it is not."""
        return self._captured[model]

    def excluded(self) -> dict[type[Model], str]:
        """Return the excluded models with their reasons."""
        return dict(self._excluded)

    def model_of(self, label: str) -> type[Model] | None:
        """Return the model of `records.record`, or None when it is installed no more."""
        try:
            return apps.get_model(label)
        except LookupError:
            return None


def _column(model: type[Model], name: str) -> str:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise ImproperlyConfigured(
            f"{model._meta.label} is registered with an unknown field {name!r}."
        ) from None
    return str(getattr(field, "column", "") or "")


def _is_uuid(field: Any) -> bool:
    return bool((field.target_field if field.is_relation else field).get_internal_type() == "UUIDField")


def _captured(
    model: type[Model], options: dict[str, tuple[str, ...]], *, subject: str, bulk: bool, strict: bool
) -> Captured:
    meta = model._meta
    key = meta.pk
    if not isinstance(key, (UUIDField, *_WHOLE_NUMBERS)):
        raise ImproperlyConfigured(f"{meta.label}: the trail needs a key that is a UUID or a whole number.")
    fields = [
        field
        for field in meta.local_concrete_fields
        if field.column and not getattr(field, "generated", False)
    ]
    own_subject = str(key.column) if isinstance(key, UUIDField) else ""
    return Captured(
        table=meta.db_table,
        label=meta.label_lower,
        type_id=content_type_id(meta.app_label, meta.model_name or ""),
        key=str(key.column),
        columns=tuple(str(field.column) for field in fields),
        excluded=options["exclude_fields"],
        masked=options["mask_fields"],
        personal=options["personal"],
        documents=tuple(str(f.column) for f in fields if f.get_internal_type() == "JSONField"),
        plain=tuple(str(one.column) for one in fields if _is_uuid(one)),
        subject=_column(model, subject) if subject else own_subject,
        bulk=bulk,
        strict=strict,
    )


trail = Trail()
