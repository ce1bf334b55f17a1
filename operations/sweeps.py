"""What is looked after again and again, whether or not a message about it was lost."""

import logging

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from jobs import sweeps
from operations.actions import (
    asking,
    backups,
    bringing_back,
    figures,
    fingerprints,
    joining,
    leaving,
    leftovers,
    moves,
    preparing,
    provisioning,
    restores,
    shards,
    signups,
)
from operations.backfills import admitting
from operations.leaving import exporting

logger = logging.getLogger(__name__)

# A ready schema makes an organisation in a fifth of the time; each costs about 3 MB of disk.
READY_PER_SHARD = 4


def install() -> None:
    """Hang the room's sweeps on the beat."""
    sweeps.add("operations.signup-mails", every_seconds=3, run=send_signup_mails)
    sweeps.add("operations.provisioning", every_seconds=60, run=settle_makings)
    sweeps.add("operations.ready-schemas", every_seconds=20, run=refill_ready)
    sweeps.add("operations.shards", every_seconds=5, run=look_at_shards)
    sweeps.add("operations.moves", every_seconds=3, run=ring_for_moves)
    sweeps.add("operations.backfills", every_seconds=3, run=admitting.sweep)
    sweeps.add("operations.restores", every_seconds=3, run=restores.ring)
    sweeps.add("operations.leaving", every_seconds=3, run=ring_for_leaving)
    sweeps.add("operations.joining", every_seconds=3, run=ring_for_joining)
    sweeps.add("operations.backups", every_seconds=600, run=back_up, queue="owner")
    sweeps.add("operations.figures", every_seconds=30, run=refresh_figures)
    sweeps.add("operations.fingerprints", every_seconds=600, run=take_fingerprints, queue="owner")
    sweeps.add("operations.leftovers", every_seconds=leftovers.EVERY_SECONDS, run=sweep_leftovers)
    sweeps.add("operations.questions", every_seconds=60, run=ask)


def ask() -> None:
    """Ask organisations what only they can answer."""
    asking.sweep(at=timezone.now())


def send_signup_mails() -> None:
    """Send the confirmations that are waiting."""
    signups.send_waiting(at=timezone.now())


def settle_makings() -> None:
    """Finish or undo what a dead process left behind."""
    provisioning.sweep(at=timezone.now())


def refill_ready() -> None:
    """Keep ready schemas on every shard that answers."""
    for alias in settings.SHARD_ALIASES:
        try:
            preparing.fill_ready(alias, wanted=READY_PER_SHARD)
        except OperationalError as problem:
            logger.warning("ready schemas of %s were not filled up: %s", alias, problem)


def look_at_shards() -> None:
    """Ask every shard whether it answers, and for its figures."""
    shards.look_at_all(at=timezone.now())


def refresh_figures() -> None:
    """Look up the figures of those organisations that were not looked at for the longest."""
    figures.refresh(at=timezone.now())


def sweep_leftovers() -> None:
    """Remove content of files that nothing names any more."""
    leftovers.sweep(at=timezone.now())


def take_fingerprints() -> None:
    """Compare the schemas that were not looked at for a day with the template."""
    now = timezone.now()
    for _ in fingerprints.take(fingerprints.due(at=now), at=now):
        pass


def ring_for_moves() -> None:
    """Wake the owner's worker for moves that somebody asked for or that broke off, and for old copies."""
    moves.ring(at=timezone.now())


def ring_for_leaving() -> None:
    """Wake the owner's worker for exports, erasures and returns."""
    leaving.ring(at=timezone.now())


def ring_for_joining() -> None:
    """Wake the owner's worker for merges."""
    joining.ring(at=timezone.now())


def back_up() -> None:
    """Copy the servers whose last good copy is older than a day, where that is our task."""
    backups.back_up_old(at=timezone.now())
    bringing_back.drop_old(at=timezone.now())
    exporting.drop_old(at=timezone.now())
