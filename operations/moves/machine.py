"""A move as a machine of steps: each may be repeated, and whoever finds it goes on where it stands."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
from django.conf import settings
from django.utils import timezone

from operations.models import Move, MoveStep
from operations.models.move import CAN_BE_CANCELLED
from operations.moves import checks, comparing, copying, links, making, reverting, switching
from operations.moves.problems import CannotMove, MoveBusy, NotYet
from operations.moves.telling import STARTED, act, tell

logger = logging.getLogger(__name__)
TRIES = 8
PAUSE_SECONDS = 1.0
Watch = Callable[[Move], None]


class Cancelled(CannotMove):
    """Somebody asked to stop."""

    message = "It was cancelled."


class Later(Exception):
    """The time given is over; the move goes on by itself where it copies, and later here."""


def run(move: Move, *, most_seconds: float | None = None, watch: Watch = lambda move: None) -> Move:
    """Bring a move to its end, and return it. `watch` is called after each step.

    Raises MoveBusy if another process has it; Later after `most_seconds`; psycopg.OperationalError when a
    server does not answer. In both it goes on when it is run again.
    """
    with links.claimed(move.pk) as is_ours:
        if not is_ours:
            raise MoveBusy
        move.refresh_from_db()
        machine = _Machine(move, most_seconds)
        while machine.step():
            watch(move)
        watch(move)
    return move


class _Machine:
    """One process working on one move."""

    def __init__(self, move: Move, most_seconds: float | None) -> None:
        self.move = move
        self.until = None if most_seconds is None else time.monotonic() + most_seconds

    def step(self) -> bool:
        """Do the next step; return whether there is another one to do now."""
        move = self.move
        actions: dict[str, Callable[[], None]] = {
            MoveStep.ASKED: self._check,
            MoveStep.CHECKED: self._make,
            MoveStep.MADE: self._start_copying,
            MoveStep.COPYING: self._copy,
            MoveStep.COPIED: self._compare,
            MoveStep.COMPARED: self._switch,
            MoveStep.SWITCHING: self._settle,
            MoveStep.SWITCHED: self._tidy,
            MoveStep.KEPT: self._drop,
            MoveStep.REVERTING: self._revert,
        }
        action = actions.get(move.step)
        if action is None or (move.step == MoveStep.KEPT and not self._is_due()):
            return False
        try:
            if move.step in CAN_BE_CANCELLED:
                self.look()
            action()
        except CannotMove as problem:
            self._give_up(str(problem))
        except (psycopg.OperationalError, Later):
            raise  # it is looked at again
        except Exception as problem:
            if move.step not in CAN_BE_CANCELLED | {MoveStep.SWITCHING}:
                raise
            logger.exception("the move of %s failed", move.schema_name)
            self._give_up(f"Something unexpected: {problem}"[:1000])
        return True

    def look(self) -> None:
        """Raise Cancelled or Later."""
        self.move.refresh_from_db(fields=["cancel_asked_at"])
        if self.move.cancel_asked_at is not None:
            raise Cancelled
        if self.until is not None and time.monotonic() > self.until:
            raise Later

    def _give_up(self, why: str) -> None:
        if self.move.step in (MoveStep.REVERTING, MoveStep.SWITCHED, MoveStep.KEPT):
            raise RuntimeError(f"The move of {self.move.schema_name} cannot be ended: {why}")
        if self.move.step == MoveStep.ASKED:
            # Nothing has been made yet.
            self.move.reach(MoveStep.REVERTED, error=why, ended_at=timezone.now())
            act(self.move, f"move to {self.move.target_id} not begun", reason=why)
            return
        self.move.reach(MoveStep.REVERTING, error=why)

    def _check(self) -> None:
        move = self.move
        version = checks.servers(move.schema_name, move.source_id, move.target_id)
        with links.owner(move.source_id) as source:
            tell(source, move, STARTED, source=move.source_id, target=move.target_id)
        move.reach(MoveStep.CHECKED, version=version)

    def _make(self) -> None:
        making.make(self.move)
        self.move.reach(MoveStep.MADE)

    def _start_copying(self) -> None:
        copying.start(self.move)
        self.move.reach(MoveStep.COPYING)

    def _copy(self) -> None:
        copying.wait(self.move, look=self.look)
        self.move.reach(MoveStep.COPIED)
        self.move.count(copy_seconds=self._seconds_between(MoveStep.MADE, MoveStep.COPIED))

    def _seconds_between(self, one: MoveStep, other: MoveStep) -> float:
        at = {step: datetime.fromisoformat(moment) for step, moment in self.move.history}
        return round((at[other] - at[one]).total_seconds(), 2)

    def _compare(self) -> None:
        comparing.compare(self.move, look=self.look)
        self.move.reach(MoveStep.COMPARED)

    def _switch(self) -> None:
        """Switch; where the instant is bad, compare anew and try again."""
        for number in range(TRIES):
            try:
                switching.switch(self.move)
            except (NotYet, psycopg.errors.QueryCanceled) as problem:
                if number == TRIES - 1 or self.move.step != MoveStep.COMPARED:
                    raise CannotMove(f"The switch never came to pass: {problem}.") from problem
                self.move.say(f"{problem}; trying again")
                time.sleep(PAUSE_SECONDS)
                self.look()
                with links.owner(self.move.source_id) as source, links.owner(self.move.target_id) as target:
                    copying.make_indexes(self.move, source, target, look=self.look)
                comparing.compare(self.move, look=self.look)
            else:
                return

    def _settle(self) -> None:
        if not switching.settle(self.move):
            raise CannotMove("It was interrupted in the middle of switching.")

    def _tidy(self) -> None:
        switching.tidy(self.move)
        days = timedelta(days=settings.MOVE_KEPT_DAYS)
        now = timezone.now()
        self.move.reach(MoveStep.KEPT, ended_at=now, keep_until=now + days)

    def _is_due(self) -> bool:
        return self.move.keep_until is not None and self.move.keep_until <= timezone.now()

    def _drop(self) -> None:
        reverting.drop_old_copy(self.move)
        self.move.reach(MoveStep.DONE)

    def _revert(self) -> None:
        reverting.revert(self.move)
        self.move.reach(MoveStep.REVERTED, ended_at=timezone.now())
