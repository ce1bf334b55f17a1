"""Django's fields as fields of a table."""

from typing import Any

from django.conf import settings
from django.db import models

from records.values import Choice, FieldSpec, FieldType

# More special kinds first: an e-mail field is a character field too.
_TYPES: tuple[tuple[type[Any], FieldType], ...] = (
    (models.EmailField, FieldType.EMAIL),
    (models.URLField, FieldType.LINK),
    (models.CharField, FieldType.TEXT),
    (models.TextField, FieldType.LONG_TEXT),
    (models.BooleanField, FieldType.YES_NO),
    (models.IntegerField, FieldType.INTEGER),
    (models.DecimalField, FieldType.DECIMAL),
    (models.FloatField, FieldType.DECIMAL),
    (models.DateTimeField, FieldType.DATETIME),
    (models.DateField, FieldType.DATE),
    (models.TimeField, FieldType.TIME),
)


def spec_of(field: Any) -> FieldSpec | None:
    """Return the design of a field; None for kinds that a table does not show."""
    kind = _type_of(field)
    if kind is None:
        return None
    choices = tuple(
        Choice(str(code), str(label)) for code, label in field.flatchoices if code not in ("", None)
    )
    has_default = field.has_default() or field.db_default is not models.NOT_PROVIDED
    return FieldSpec(
        key=field.name,
        name=str(field.verbose_name)[:1].upper() + str(field.verbose_name)[1:],
        type=FieldType.CHOICE if choices and kind is FieldType.TEXT else kind,
        required=not (field.blank or field.null or has_default),
        unique=bool(field.unique),
        choices=choices if kind is FieldType.TEXT else (),
        help=str(field.help_text),
    )


def _type_of(field: Any) -> FieldType | None:
    if isinstance(field, models.ForeignKey):
        related = field.related_model
        if related._meta.label == settings.AUTH_USER_MODEL:
            return FieldType.PERSON
        return FieldType.RECORD if isinstance(related._meta.pk, models.UUIDField) else None
    return next((kind for of, kind in _TYPES if isinstance(field, of)), None)


def is_made_by_the_system(field: Any) -> bool:
    """Whether nobody types this field's value."""
    return not field.editable or bool(
        getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    )
