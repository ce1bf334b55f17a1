"""What the machines of merges and of splits have in common: one process at a time, and what goes wrong."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from django.db import DatabaseError, OperationalError

from operations.joining import staging
from operations.joining.clashes import Found
from operations.joining.problems import CannotJoin
from operations.models import Merge, Split
from operations.restoring import bundle
from operations.restoring.alone import alone_with
from operations.restoring.problems import Busy, CannotRestore
from tenants.names import new_schema_name
from tenants.refusals import Refusal

logger = logging.getLogger(__name__)
_Work = TypeVar("_Work", Merge, Split)
_PROBLEMS = (CannotJoin, CannotRestore, bundle.Differs, psycopg.Error, DatabaseError, OSError)
# A server that does not answer: it goes on when it does.
_LATER = (psycopg.OperationalError, OperationalError)


def go_on(model: type[_Work], run: Callable[[_Work], None], *, at: datetime) -> int:
    """Go on with everything that something is to be done for; return how much."""
    done = 0
    rows: Any = model._default_manager
    for work in [*rows.at_work(), *rows.due(at=at)]:
        try:
            run(work)
        except (Busy, *_LATER) as problem:
            logger.warning("%s waits: %s", work, problem)
            continue
        done += 1
    return done


def alone(work: _Work, do: Callable[[_Work], None], give_up: Callable[[_Work, str], None]) -> None:
    """Do what is to be done, and give up where that is not possible. Raises Busy."""
    with alone_with(work.shard, str(work.pk)):
        work.refresh_from_db()
        try:
            do(work)
        except _LATER:
            raise
        except _PROBLEMS as problem:
            logger.exception("%s", work)
            give_up(work, str(problem) if isinstance(problem, Refusal) else _unsaid(problem))


def _unsaid(problem: Exception) -> str:
    """Return what may be said of a problem where operators see it: messages of a database quote rows."""
    return f"{type(problem).__name__}; the log of the owner's worker says more."


def name_anew(work: Merge | Split) -> None:
    """Give the copy another name if one of this name was there before: no name is ever used again."""
    if staging.is_dropped(work.shard, work.staged):
        work.note(staged=new_schema_name())


def told(found: Found) -> dict[str, Any]:
    """Return what the control plane is told of what was found."""
    return {"clashes": found.counted(), "rows": found.rows}


def refuse_stopped(found: Found, command: str, *, since: str = "") -> None:
    """Raise CannotJoin if something has to be settled first; `command` is what names it."""
    if found.stops:
        what = ", ".join(sorted({clash.noun for clash in found.stops}))
        raise CannotJoin(
            f"{since}{len(found.stops):,} things have to be settled first ({what}). "
            f"manage.py {command} --show names them."
        )


def undone_by(work: Merge | Split) -> str:
    """Return who wanted it undone; whoever approved it where it could not go on by itself."""
    return str(work.result.get("undone_by") or work.approved_by)
