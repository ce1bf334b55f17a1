"""Two tables of the tests' own, one captured by rows, one by statements; Django's list knows neither.

They are mirror images, so that every way of writing is tried on both: `mirrored` turns a statement
about one into the same about the other.
"""

from typing import ClassVar

from django.apps.registry import Apps
from django.db import models

from audit.registry import Captured
from tenants.models.base import UUIDv7

_COLUMNS = """
    id uuid PRIMARY KEY DEFAULT uuidv7(), name text UNIQUE, kind text, size integer NOT NULL DEFAULT 0,
    secret text, person text, touched integer,
    data jsonb NOT NULL DEFAULT '{}', "values" jsonb NOT NULL DEFAULT '{}'
"""
TABLES = f"""
CREATE TABLE probe_bulk ({_COLUMNS}, parent_id uuid REFERENCES probe_bulk ON DELETE CASCADE);
CREATE TABLE probe_row ({_COLUMNS}, parent_id uuid REFERENCES probe_row ON DELETE CASCADE,
    other_id uuid REFERENCES probe_bulk ON DELETE CASCADE);
ALTER TABLE probe_bulk ADD other_id uuid REFERENCES probe_row ON DELETE CASCADE;
CREATE TABLE probe_source (name text, size integer);
CREATE FUNCTION probe_row_write(wanted text) RETURNS void LANGUAGE sql
AS $$ INSERT INTO probe_row (name) VALUES (wanted) $$;
CREATE FUNCTION probe_bulk_write(wanted text) RETURNS void LANGUAGE sql
AS $$ INSERT INTO probe_bulk (name) VALUES (wanted) $$;
"""
_EVERY = (
    "id", "name", "kind", "size", "secret", "person", "touched", "data", "values", "parent_id", "other_id",
)  # fmt: skip

BULK = Captured(
    table="probe_bulk",
    label="probe.bulk",
    type_id=11,
    key="id",
    columns=_EVERY,
    excluded=("touched",),
    masked=("secret",),
    personal=("values", "person"),
    documents=("data", "values"),
    plain=("id", "parent_id", "other_id"),
    subject="id",
    bulk=True,
    strict=True,
)
ROW = Captured(
    table="probe_row",
    label="probe.row",
    type_id=12,
    key="id",
    columns=_EVERY,
    excluded=("touched",),
    masked=("secret",),
    personal=("person",),
    documents=("data", "values"),
    plain=("id", "parent_id", "other_id"),
    subject="id",
    bulk=False,
    strict=True,
)


def mirrored(text: str) -> str:
    """Return a statement or a code of one table as the same of the other."""
    for mine, other in (("probe_row", "probe_bulk"), ("probe.row", "probe.bulk"), ("-9000-", "-8000-")):
        text = text.replace(mine, "\0").replace(other, mine).replace("\0", other)
    return text


_outside = Apps()


class Probe(models.Model):
    """The columns that both have."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    name = models.TextField(unique=True, null=True)  # noqa: DJ001  # the table allows it
    kind = models.TextField(null=True)  # noqa: DJ001  # the table allows it
    size = models.IntegerField(default=0)
    secret = models.TextField(null=True)  # noqa: DJ001  # the table allows it
    person = models.TextField(null=True)  # noqa: DJ001  # the table allows it
    touched = models.IntegerField(null=True)
    data = models.JSONField(default=dict)
    values = models.JSONField(default=dict)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)

    class Meta:
        app_label = "audit"
        apps = _outside
        abstract = True

    def __str__(self) -> str:
        return str(self.name)


class Bulk(Probe):
    """A row of the table that is captured by statements."""

    objects: ClassVar[models.Manager["Bulk"]] = models.Manager()

    class Meta(Probe.Meta):
        db_table = "probe_bulk"


class Row(Probe):
    """A row of the table that is captured row by row."""

    objects: ClassVar[models.Manager["Row"]] = models.Manager()

    class Meta(Probe.Meta):
        db_table = "probe_row"
