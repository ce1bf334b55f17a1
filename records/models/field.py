"""Fields: one column of a collection's design."""

import secrets

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from records.models.collection import Collection
from records.values import Choice, FieldSpec, FieldType
from tenants.models.base import TenantRow

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
KEY_LETTERS = 6
# Types of which two records may be compared for sameness.
UNIQUE_TYPES = frozenset(
    {
        FieldType.TEXT,
        FieldType.INTEGER,
        FieldType.DECIMAL,
        FieldType.DATE,
        FieldType.DATETIME,
        FieldType.EMAIL,
        FieldType.LINK,
        FieldType.RECORD,
        FieldType.PERSON,
    }
)


def new_key() -> str:
    """Return a key for a field. It stands in records, addresses and exports, and never changes."""
    return "f_" + "".join(secrets.choice(_LETTERS) for _ in range(KEY_LETTERS))


class Field(TenantRow):
    """One field. `indexed` is what people asked for; the rule of records.indexes may add its own."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="fields")
    key = models.CharField(max_length=63, default=new_key, editable=False)
    name = models.CharField(max_length=100)
    type = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in FieldType])
    required = models.BooleanField(default=False)
    unique = models.BooleanField(default=False)
    choices = models.JSONField(default=list, blank=True)
    help = models.TextField(blank=True)
    sensitive = models.BooleanField(default=False)
    options = models.JSONField(default=dict, blank=True)
    position = models.IntegerField(default=0)
    indexed = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(name="field_key_once", fields=["collection", "key"]),
            models.UniqueConstraint(
                "collection", Lower("name"), name="field_name_once", condition=Q(deleted_at=None)
            ),
            models.CheckConstraint(
                name="field_type_known", condition=Q(type__in=[kind.value for kind in FieldType])
            ),
            models.CheckConstraint(
                name="field_unique_has_a_comparable_type",
                condition=Q(unique=False) | Q(type__in=sorted(kind.value for kind in UNIQUE_TYPES)),
            ),
            models.CheckConstraint(name="field_has_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name

    def spec(self) -> FieldSpec:
        """Return the field as the validator and the tables take it."""
        return FieldSpec(
            key=self.key,
            name=self.name,
            type=FieldType(self.type),
            required=self.required,
            unique=self.unique,
            choices=tuple(Choice(code=row["code"], label=row["label"]) for row in self.choices),
            help=self.help,
            sensitive=self.sensitive,
            options=self.options,
        )
