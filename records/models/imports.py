"""Imports: a file on its way into a collection, and what became of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from jobs.models import Job
from records.models.collection import Collection
from tenants.models.base import TenantRow


class ImportState(models.TextChoices):
    """How far an import is. Whether its work goes on or has stopped, its job says."""

    READING = "reading", "Being read"
    PROPOSED = "proposed", "Waiting for choices"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked"
    APPLYING = "applying", "Being imported"
    DONE = "done", "Imported"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    REFUSED = "refused", "Not readable"


class MissingLink(models.TextChoices):
    """What becomes of a row that links to something that is not there."""

    REFUSE = "refuse", "Refuse the row"
    LEAVE_EMPTY = "leave_empty", "Leave the link empty"


# States in which the rows of the file are in the collection, or on their way.
INSIDE = (ImportState.APPLYING, ImportState.DONE, ImportState.UNDOING)


class Import(TenantRow):
    """One file for one collection, or for one room.

    `collection` is empty until a design was agreed on; `makes_collection` says that the file made it.
    `room` is the key of a registered room, "" for files that go to collections.
    `path` is made by the server and relative to the folder of uploads, "" when the content was dropped.
    `mapping` is a list of columns with the fields they go to (records.imports.designs); `stamp` names
    the choices that the last check was made with, so that nothing else is ever loaded. `rows`, `good`
    and `refused` count rows of the file, `missing` links that lead nowhere; `imported`, `removed` and
    `kept` count records. `again` is the person's wish to load a file a second time.
    """

    collection = models.ForeignKey(Collection, null=True, on_delete=models.CASCADE, related_name="imports")
    room = models.CharField(max_length=100, blank=True)
    makes_collection = models.BooleanField(default=False)
    filename = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField()
    path = models.CharField(max_length=120, blank=True)
    encoding = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.READING)
    proposal = models.JSONField(default=dict, blank=True)
    mapping = models.JSONField(default=list, blank=True)
    on_missing = models.CharField(max_length=12, choices=MissingLink.choices, default=MissingLink.LEAVE_EMPTY)
    zone = models.CharField(max_length=64, default="UTC")
    straight = models.BooleanField(default=False)
    again = models.BooleanField(default=False)
    stamp = models.CharField(max_length=64, blank=True)
    rows = models.BigIntegerField(default=0)
    good = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict, blank=True)
    imported = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.UUIDField(null=True, editable=False)
    created_by_label = models.CharField(max_length=200, blank=True)
    applied_at = models.DateTimeField(null=True, editable=False)
    undone_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(name="import_digest", fields=["digest"])]
        constraints = [
            models.CheckConstraint(name="import_state_is_known", condition=Q(state__in=ImportState.values)),
            models.CheckConstraint(
                name="import_inside_has_a_place",
                condition=~Q(state__in=[state.value for state in INSIDE])
                | Q(collection__isnull=False)
                | ~Q(room=""),
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def has_place(self) -> bool:
        """Return whether it is known which table its rows go into."""
        return bool(self.room) or self.collection_id is not None


class ImportedRow(TenantRow):
    """A row of a room that came with an import, so that it can be taken out again.

    Records say it themselves; models of teams have no column for it. `digest` is of the values it came with,
    and tells whether somebody has changed it since.
    """

    import_of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="room_rows")
    row = models.UUIDField()
    digest = models.CharField(max_length=32)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return str(self.row)
