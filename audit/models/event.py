"""The tables of the trail. Everything is written by functions of the database, nothing by the ORM."""

from typing import Any, NoReturn

from django.db import models
from django.db.models import Func

from audit.models.fields import Xid8Field
from tenants.refusals import Refusal


class TrailIsAppendOnly(Refusal):
    """Code tried to write the trail through the ORM."""

    code = "trail-append-only"
    message = "The trail is written by the database only."


class CurrentTransaction(Func):
    """The 64-bit id of the running transaction."""

    template = "pg_current_xact_id()"
    output_field = Xid8Field()


class ReadOnly(models.QuerySet[Any]):
    """A queryset which refuses to write. The database would refuse as well; this says it earlier."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TrailIsAppendOnly

    create = bulk_create = bulk_update = update = delete = _refuse


class TrailRow(models.Model):
    """Base of the tables of the trail."""

    objects = ReadOnly.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TrailIsAppendOnly

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TrailIsAppendOnly


class EventColumns(TrailRow):
    """What an entry says, in whichever trail. Every column is inside the leaf that a segment seals.

    `at_us` is microseconds since 1970 UTC; `type_id` the content type of the object, 0 without one;
    `object_id` its key, whole numbers written as a UUID; `actor_id` the person who acted or on whose
    behalf it was done; `private_commitment` is SHA-256 of salt and value of the private part.
    """

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
        abstract = True

    def __str__(self) -> str:
        return f"{self.code} {self.epoch}/{self.txid}/{self.eid}"


class Event(EventColumns):
    """One entry."""

    pk = models.CompositePrimaryKey("epoch", "txid", "eid")
    txid = Xid8Field(db_default=CurrentTransaction())

    class Meta:
        db_table = "audit_event"
        indexes = (
            models.Index(name="audit_event_time", fields=["at_us", "txid"]),
            models.Index(name="audit_event_object", fields=["object_id", "at_us", "txid"]),
            models.Index(name="audit_event_actor", fields=["actor_id", "at_us", "txid"]),
            models.Index(name="audit_event_code", fields=["code", "at_us", "txid"]),
            models.Index(name="audit_event_type", fields=["type_id", "at_us", "txid"]),
        )


class PrivateColumns(TrailRow):
    """The personal part of an entry, apart from it so that it can be erased. `value` is JSON text."""

    ref = models.UUIDField()
    subject = models.UUIDField(null=True)
    salt = models.BinaryField()
    value = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.ref)


class Private(PrivateColumns):
    """One of them."""

    ref = models.UUIDField(primary_key=True)

    class Meta:
        db_table = "audit_private"
        indexes = (models.Index(name="audit_private_subject", fields=["subject"]),)


class Epoch(TrailRow):
    """A stretch in which transaction ids are comparable; a move or a restore opens the next."""

    epoch = models.IntegerField(primary_key=True)
    opened_us = models.BigIntegerField()
    reason = models.TextField()

    class Meta:
        db_table = "audit_epoch"

    def __str__(self) -> str:
        return str(self.epoch)


class SegmentColumns(TrailRow):
    """A sealed range of entries: first and last key, count, Merkle root and the hash of the header before."""

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
        abstract = True

    def __str__(self) -> str:
        return str(self.segment_no)


class Segment(SegmentColumns):
    """One of them."""

    segment_no = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "audit_segment"
