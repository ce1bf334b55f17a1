"""What is looked after again and again, whether or not a message about it was lost."""

from django.conf import settings
from django.utils import timezone

from jobs import sweeps
from operations.actions import figures, preparing, provisioning, signups
from operations.backfills import admitting

# A ready schema makes an organisation in a fifth of the time; each costs about 3 MB of disk.
READY_PER_SHARD = 4


def install() -> None:
    """Hang the room's sweeps on the beat."""
    sweeps.add("operations.signup-mails", every_seconds=3, run=send_signup_mails)
    sweeps.add("operations.provisioning", every_seconds=60, run=settle_makings)
    sweeps.add("operations.ready-schemas", every_seconds=20, run=refill_ready)
    sweeps.add("operations.backfills", every_seconds=3, run=admitting.sweep)
    sweeps.add("operations.figures", every_seconds=300, run=figures.refresh)


def send_signup_mails() -> None:
    """Send the confirmations that are waiting."""
    signups.send_waiting(at=timezone.now())


def settle_makings() -> None:
    """Finish or undo what a dead process left behind."""
    provisioning.sweep(at=timezone.now())


def refill_ready() -> None:
    """Keep ready schemas on every shard."""
    for alias in settings.SHARD_ALIASES:
        preparing.fill_ready(alias, wanted=READY_PER_SHARD)
