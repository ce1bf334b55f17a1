"""Trails of other organisations that are kept here, read-only and as they were.

An organisation that became a part of this one brings its trail whole, with its seals; one that was split off
from another has the part that is about what it took with it. Only the owner's process writes them.
"""

from django.db import models

from audit.models.event import TrailRow
from audit.models.fields import Xid8Field


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


class AnnexedEvent(TrailRow):
    """An entry of one of them; every column is the same as in its own trail."""

    pk = models.CompositePrimaryKey("source", "epoch", "txid", "eid")
    source = models.UUIDField()
    epoch = models.IntegerField()
    txid = Xid8Field()
    eid = models.BigIntegerField()
    at_us = models.BigIntegerField()
    code = models.TextField()
    type_id = models.IntegerField()
    object_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    payload = models.TextField()
    private_ref = models.UUIDField(null=True)
    private_commitment = models.BinaryField(null=True)

    class Meta:
        db_table = "audit_annexed_event"
        indexes = (
            models.Index(name="annexed_event_time", fields=["source", "at_us", "txid"]),
            models.Index(name="annexed_event_object", fields=["source", "object_id", "at_us", "txid"]),
            models.Index(name="annexed_event_actor", fields=["source", "actor_id", "at_us", "txid"]),
            models.Index(name="annexed_event_code", fields=["source", "code", "at_us", "txid"]),
            models.Index(name="annexed_event_type", fields=["source", "type_id", "at_us", "txid"]),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.epoch}/{self.txid}/{self.eid}"


class AnnexedPrivate(TrailRow):
    """The personal part of an entry of one of them; it can be erased as that of an own one."""

    pk = models.CompositePrimaryKey("source", "ref")
    source = models.UUIDField()
    ref = models.UUIDField()
    subject = models.UUIDField(null=True)
    salt = models.BinaryField()
    value = models.TextField()

    class Meta:
        db_table = "audit_annexed_private"
        indexes = (models.Index(name="annexed_private_subject", fields=["subject"]),)

    def __str__(self) -> str:
        return str(self.ref)


class AnnexedSegment(TrailRow):
    """A seal of one of them."""

    pk = models.CompositePrimaryKey("source", "segment_no")
    source = models.UUIDField()
    segment_no = models.BigIntegerField()
    log_id = models.UUIDField()
    first_epoch = models.IntegerField()
    first_txid = Xid8Field()
    first_eid = models.BigIntegerField()
    last_epoch = models.IntegerField()
    last_txid = Xid8Field()
    last_eid = models.BigIntegerField()
    count = models.BigIntegerField()
    root = models.BinaryField()
    trigger_digest = models.BinaryField()
    clock_us = models.BigIntegerField()
    prev_header_hash = models.BinaryField()
    header_hash = models.BinaryField()

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
