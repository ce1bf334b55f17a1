"""Doorbells of this room."""

import logging

import psycopg
from django.conf import settings
from django.utils import timezone

from jobs.celery import doorbell_task
from operations.actions import bringing_back, joining, leaving, restores
from operations.joining import merging, splitting
from operations.leaving import erasing, exporting, returning
from operations.models import Move
from operations.moves import machine
from operations.moves.problems import MoveBusy

logger = logging.getLogger(__name__)
# So that indexes and others who wait for the owner's worker have their turn while a large one copies.
TURN_SECONDS = 20.0


@doorbell_task(name="operations.tasks.go_on", queue="owner")
def go_on(*, move_id: str, **_future: object) -> None:
    """Go on with a move, wherever it stands."""
    move = Move.objects.filter(pk=move_id).first()
    if move is None or settings.DATABASE_LOGIN != "owner":
        return
    try:
        machine.run(move, most_seconds=TURN_SECONDS)
    except (MoveBusy, machine.Later):
        return
    except psycopg.OperationalError as problem:
        logger.warning("the move of %s waits for a server: %s", move.schema_name, problem)
        move.say("A server does not answer; it goes on when it does")


@doorbell_task(name=restores.GO_ON, queue="owner")
def restore(**_future: object) -> None:
    """Go on with all restores that were approved, wherever they stand, and those to be undone."""
    if settings.DATABASE_LOGIN == "owner":
        bringing_back.resume()


@doorbell_task(name=leaving.GO_ON, queue="owner")
def leave(**_future: object) -> None:
    """Go on with exports that were asked for, erasures whose day has come, and returns."""
    if settings.DATABASE_LOGIN == "owner":
        exporting.run_all()
        erasing.run_due(at=timezone.now())
        returning.run_all()


@doorbell_task(name=joining.GO_ON, queue="owner")
def join(**_future: object) -> None:
    """Go on with all merges and splits for which there is something to do."""
    if settings.DATABASE_LOGIN == "owner":
        merging.run_all(at=timezone.now())
        splitting.run_all(at=timezone.now())
