"""What the trail keeps about jobs: that they were asked for and how they ended, not each step."""

from audit.labels import describe
from audit.registry import trail
from jobs.models import Job, OutgoingMail

PROGRESS = (
    "done",
    "done_before",
    "total",
    "note",
    "checkpoint",
    "lease_token",
    "leased_until",
    "lapses",
    "begun_at",
    "due_at",
)


def register() -> None:
    """Register the room's models."""
    trail.register(Job, exclude_fields=PROGRESS, personal=["created_by_label"], subject="created_by")
    # Texts hold links that sign people in; the trail outlives them.
    describe(OutgoingMail, kind=("mail", "mails"))
    trail.register(OutgoingMail, mask_fields=["text", "html"], personal=["to", "subject"])
