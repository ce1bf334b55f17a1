"""Trails of other organisations that are kept here, read-only and as they were.

An organisation that became a part of this one brings its trail whole, with its seals; one that was split off
from another has the part that is about what it took with it. Only the owner's process writes them.
"""

from django.db import models

from audit.models.event import EventColumns, PrivateColumns, SegmentColumns, TrailRow


class Why(models.TextChoices):
    """Why another trail is kept here."""

    MERGE = "merge", "became part of this one"
    SPLIT = "split", "this one was split off from it"


class AnnexedTrail(TrailRow):
    """One of them. `source` is the id of its organisation, which its seals name.

    `is_whole` says that it is all of it, and has seals; `head` is its end.
    """

    source = models.UUIDField(primary_key=True)
    name = models.TextField()
    slug = models.TextField()
    attached_at = models.DateTimeField()
    why = models.CharField(max_length=10, choices=Why.choices)
    is_whole = models.BooleanField()
    head = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_annexed_trail"
        ordering = ("-attached_at",)

    def __str__(self) -> str:
        return self.name


class AnnexedEvent(EventColumns):
    """An entry of one of them; every column is the same as in its own trail."""

    pk = models.CompositePrimaryKey("source", "epoch", "txid", "eid")
    source = models.UUIDField()

    class Meta:
        db_table = "audit_annexed_event"
        indexes = (
            models.Index(name="annexed_event_time", fields=["source", "at_us", "txid"]),
            models.Index(name="annexed_event_object", fields=["source", "object_id", "at_us", "txid"]),
            models.Index(name="annexed_event_actor", fields=["source", "actor_id", "at_us", "txid"]),
            models.Index(name="annexed_event_code", fields=["source", "code", "at_us", "txid"]),
            models.Index(name="annexed_event_type", fields=["source", "type_id", "at_us", "txid"]),
        )


class AnnexedPrivate(PrivateColumns):
    """The personal part of an entry of one of them; it can be erased as that of an own one."""

    pk = models.CompositePrimaryKey("source", "ref")
    source = models.UUIDField()

    class Meta:
        db_table = "audit_annexed_private"
        indexes = (models.Index(name="annexed_private_subject", fields=["subject"]),)


class AnnexedSegment(SegmentColumns):
    """A seal of one of them."""

    pk = models.CompositePrimaryKey("source", "segment_no")
    source = models.UUIDField()

    class Meta:
        db_table = "audit_annexed_segment"

    def __str__(self) -> str:
        return f"{self.source} {self.segment_no}"


class AnnexedKey(TrailRow):
    """Under which id somebody or something of one of them is known here; numbers are written as UUIDs."""

    pk = models.CompositePrimaryKey("source", "type_id", "old")
    source = models.UUIDField()
    type_id = models.IntegerField()
    old = models.UUIDField()
    new = models.UUIDField()

    class Meta:
        db_table = "audit_annexed_key"
        indexes = (models.Index(name="annexed_key_new", fields=["new"]),)

    def __str__(self) -> str:
        return f"{self.old} is {self.new}"
