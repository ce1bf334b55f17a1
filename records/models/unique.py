"""What is taken in unique fields."""

from django.db import models


class UniqueValue(models.Model):
    """A value taken by a live record. Statement triggers keep it; its primary key settles races.

    `digest` is `records_digest(value)`, half a SHA-256 of the value in lower case.
    """

    pk = models.CompositePrimaryKey("field", "digest")
    field = models.UUIDField(db_column="field_id")
    digest = models.UUIDField()
    record = models.UUIDField(db_column="record_id")

    class Meta:
        db_table = "records_uniquevalue"

    def __str__(self) -> str:
        return f"{self.field} {self.digest}"
