"""Starting, pausing and resuming a backfill of the fleet, each with a reason."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from accounts.identity.models import User
from jobs import backfills
from operations.actions.states import note_other
from operations.backfills.admitting import add_organisations, look
from operations.models import Backfill, BackfillState, Progress
from tenants.refusals import Refusal


class NotStarted(Refusal):
    """The backfill was not started, or another release has it."""

    code = "backfill-not-started"


class WrongPause(Refusal):
    """It is paused already, or there is nothing to go on with."""

    code = "backfill-wrong-pause"


@dataclass(frozen=True, slots=True)
class Share:
    """How far the fleet is with a backfill: organisations by state, and rows."""

    waiting: int
    running: int
    paused: int
    failed: int
    done: int
    rows_done: int
    rows_total: int

    @property
    def organisations(self) -> int:
        """Return how many organisations there are."""
        return self.waiting + self.running + self.paused + self.failed + self.done

    @property
    def percent(self) -> int:
        """Return the share of organisations that are done, rounded down."""
        return 100 * self.done // self.organisations if self.organisations else 0


def share_of(backfill: Backfill) -> Share:
    """Return how far the fleet is with a backfill."""
    rows = backfill.states.aggregate(rows_done=Sum("done", default=0), rows_total=Sum("total", default=0))
    counted = dict(backfill.states.order_by().values_list("state").annotate(Count("pk")))
    return Share(**{one.value: counted.get(one.value, 0) for one in Progress}, **rows)


def started(name: str) -> Backfill:
    """Return a backfill that was started; raise NotStarted."""
    found = Backfill.objects.filter(name=name).first()
    if found is None:
        raise NotStarted(f"The backfill {name} was not started.")
    return found


def start(*, name: str, reason: str, by: User | None, only: str | None = None) -> Backfill:
    """Let all organisations do a backfill, a few at a time.

    With `only` the others are paused until somebody resumes it: to try it on one first. Raises NotStarted
    for one that this release does not have, WrongPause for one started before.
    """
    if backfills.find(name) is None:
        raise NotStarted(f"There is no backfill {name} in this release.")
    with transaction.atomic(using="control"):
        found, is_new = Backfill.objects.get_or_create(
            name=name, defaults={"started_at": timezone.now(), "reason": reason[:300]}
        )
        if not is_new:
            raise WrongPause(f"The backfill {name} was started before.")
        add_organisations(found)
        if only is not None:
            others = BackfillState.objects.filter(backfill=found).exclude(organisation__slug=only)
            others.update(state=Progress.PAUSED, note=f"{only} does it first")
        _note(found, f"started{_in(only)}", reason, by)
    return found


def pause(*, backfill: Backfill, reason: str, by: User | None, only: str | None = None) -> None:
    """Let nobody, or not one organisation, go on with a backfill. What is done stays. Raises WrongPause."""
    with transaction.atomic(using="control"):
        if only is None:
            paused = Backfill.objects.filter(pk=backfill.pk, is_paused=False).update(
                is_paused=True, reason=reason[:300]
            )
        else:
            Backfill.objects.filter(pk=backfill.pk).update(reason=reason[:300])
            paused = (
                _of(backfill, only)
                .filter(state__in=[Progress.WAITING, Progress.RUNNING])
                .update(state=Progress.PAUSED, note=reason[:300])
            )
        if not paused:
            raise WrongPause(f"{backfill.name} is not running{_in(only)}.")
        _note(backfill, f"paused{_in(only)}", reason, by)


def resume(*, backfill: Backfill, reason: str, by: User | None, only: str | None = None) -> None:
    """Let a paused backfill go on, and organisations in which it failed try again. Raises WrongPause."""
    states = _of(backfill, only)
    with transaction.atomic(using="control"):
        resumed = 0
        if only is None:
            resumed = Backfill.objects.filter(pk=backfill.pk, is_paused=True).update(
                is_paused=False, reason=reason[:300]
            )
        again = states.filter(state__in=[Progress.FAILED, Progress.PAUSED])
        resumed += again.update(state=Progress.WAITING, error="", note="", ended_at=None)
        if not resumed:
            raise WrongPause(f"There is nothing to go on with in {backfill.name}{_in(only)}.")
        _note(backfill, f"resumed{_in(only)}", reason, by)
    for state in states.filter(state=Progress.RUNNING).select_related("backfill", "organisation"):
        look(state, again=True)


def _of(backfill: Backfill, only: str | None) -> QuerySet[BackfillState]:
    states = BackfillState.objects.filter(backfill=backfill)
    return states if only is None else states.filter(organisation__slug=only)


def _in(only: str | None) -> str:
    return f" in {only}" if only else ""


def _note(backfill: Backfill, act: str, reason: str, by: User | None) -> None:
    note_other(label=f"Backfill {backfill.name}", act=act, reason=reason, by=by)
