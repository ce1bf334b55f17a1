"""What the trail keeps about jobs: that they were asked for and how they ended, not each step."""

from audit.labels import describe
from audit.queries import Entry
from audit.registry import trail
from jobs.models import Backfilled, Job, JobState, MailState, OutgoingMail

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

_ENDS = {
    JobState.RUNNING: "{name}: begun",
    JobState.SUCCEEDED: "{name}: done",
    JobState.FAILED: "{name}: failed",
    JobState.CANCELLED: "{name}: stopped",
}


def _sentence(entry: Entry, actor: str, name: str) -> str:
    """Say what became of a job, rather than which columns changed."""
    state = entry.after.get("state", "")
    if entry.verb == "added":
        return f"{actor} asked for: {name}"
    if entry.verb != "changed":
        return ""
    if entry.after.get("cancel_asked_at"):
        return f"{actor} stopped: {name}"
    if state == JobState.QUEUED:
        again = entry.before.get("state") != JobState.RUNNING
        return f"{actor} had it go on: {name}" if again else f"{name}: waits for its next turn"
    return _ENDS[state].format(name=name) if state in _ENDS else ""


def _mail_sentence(entry: Entry, actor: str, name: str) -> str:
    state = entry.after.get("state", "") if entry.verb == "changed" else ""
    if state == MailState.SENT:
        return f"The mail {name} was sent"
    return f"The mail {name} could not be delivered" if state == MailState.FAILED else ""


def register() -> None:
    """Register the room's models."""
    trail.register(Job, exclude_fields=PROGRESS, personal=["created_by_label"], subject="created_by")
    trail.exclude(Backfilled, reason="Its job says when it began and ended, and each row what it became.")
    # Texts hold links that sign people in; the trail outlives them.
    describe(Job, sentence=_sentence)
    describe(OutgoingMail, kind=("mail", "mails"), sentence=_mail_sentence)
    trail.register(OutgoingMail, mask_fields=["text", "html"], personal=["to", "subject"])
