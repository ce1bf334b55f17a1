"""Two tables of the tests' own, one captured by rows, one by statements; Django's list knows neither."""

from typing import ClassVar

from django.apps.registry import Apps
from django.db import models

from audit.registry import Captured
from tenants.models.base import UUIDv7

TABLES = """
CREATE TABLE probe_bulk (
    id uuid PRIMARY KEY DEFAULT uuidv7(), kind text, size integer NOT NULL DEFAULT 0, touched integer,
    "values" jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE probe_row (
    id uuid PRIMARY KEY DEFAULT uuidv7(), name text UNIQUE, size integer NOT NULL DEFAULT 0, secret text,
    person text, touched integer, data jsonb NOT NULL DEFAULT '{}',
    parent_id uuid REFERENCES probe_row ON DELETE CASCADE,
    bulk_id uuid REFERENCES probe_bulk ON DELETE CASCADE
);
CREATE TABLE probe_source (name text, size integer);
CREATE FUNCTION probe_write(wanted text) RETURNS void LANGUAGE sql
AS $$ INSERT INTO probe_row (name) VALUES (wanted) $$;
"""

BULK = Captured(
    table="probe_bulk",
    label="probe.bulk",
    type_id=11,
    key="id",
    columns=("id", "kind", "size", "touched", "values"),
    excluded=("touched",),
    masked=(),
    personal=("values",),
    documents=("values",),
    plain=("id",),
    subject="id",
    bulk=True,
    strict=True,
)
ROW = Captured(
    table="probe_row",
    label="probe.row",
    type_id=12,
    key="id",
    columns=("id", "name", "size", "secret", "person", "touched", "data", "parent_id", "bulk_id"),
    excluded=("touched",),
    masked=("secret",),
    personal=("person",),
    documents=("data",),
    plain=("id", "parent_id", "bulk_id"),
    subject="id",
    bulk=False,
    strict=True,
)

_outside = Apps()


class Bulk(models.Model):
    """A row of the table that is captured by statements."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    kind = models.TextField(null=True)  # noqa: DJ001  # the table allows it
    size = models.IntegerField(default=0)
    touched = models.IntegerField(null=True)
    values = models.JSONField(default=dict)

    objects: ClassVar[models.Manager["Bulk"]] = models.Manager()

    class Meta:
        app_label = "audit"
        apps = _outside
        db_table = "probe_bulk"

    def __str__(self) -> str:
        return str(self.kind)


class Row(models.Model):
    """A row of the table that is captured row by row."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    name = models.TextField(unique=True)
    size = models.IntegerField(default=0)
    secret = models.TextField(null=True)  # noqa: DJ001  # the table allows it
    person = models.TextField(null=True)  # noqa: DJ001  # the table allows it
    touched = models.IntegerField(null=True)
    data = models.JSONField(default=dict)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)

    objects: ClassVar[models.Manager["Row"]] = models.Manager()

    class Meta:
        app_label = "audit"
        apps = _outside
        db_table = "probe_row"

    def __str__(self) -> str:
        return self.name
