"""The long work of this room that an organisation asks for itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from jobs.actions import Run
from jobs.models import Job, JobState
from jobs.registry import kind
from operations.joining import splitting, staging
from operations.joining.picking import Picks
from operations.joining.shape import Place
from tenants.names import new_schema_name

DIVISION = "operations.division"
# More than anybody reads; a result is read whole with its row.
_MOST_NAMED = 2_000


def declare_all() -> None:
    """Register the kinds of this room."""
    kind(DIVISION, queue="owner", label="Check of the whole organisation", result_url=_look_of)(
        look_at_division
    )


def look_at_division(run: Run) -> Mapping[str, Any]:
    """Find what has two claims if an organisation were split as it was chosen; nothing of it is changed.

    What is found names people and things: it stays in the organisation's schema.
    """
    _drop_left(run)
    alias, staged = run.tenant.alias, str(run.state.get("staged", ""))
    # No name is ever used again, and what an earlier try has left under this one goes first.
    if not staged or staging.is_dropped(alias, staged):
        staged = new_schema_name()
        run.checkpoint({"staged": staged, "alias": alias}, note="Copying")
    picks = Picks.read(run.payload["picks"])
    place = Place(staged, datetime.fromisoformat(run.payload["effective_at"]), picked=True)
    with run.busy():
        found = splitting.look(run.tenant, place, picks, tell=lambda what: None)
    named = [[one.kind.value, one.noun, one.name, one.becomes] for one in found.clashes[:_MOST_NAMED]]
    return {"found": named, "more": len(found.clashes) - len(named), "rows": found.rows}


def _drop_left(run: Run) -> None:
    """Drop the copies of looks that were given up: whole organisations that nobody would look at again."""
    with run.chunk():
        given_up = Job.objects.filter(kind=DIVISION, state__in=[JobState.FAILED, JobState.CANCELLED])
        left = list(given_up.exclude(checkpoint={}).values_list("checkpoint", flat=True))
    for state in left:
        if not staging.is_dropped(state["alias"], state["staged"]):
            staging.drop(state["alias"], state["staged"])


def _look_of(job: Job) -> str:
    return reverse("divide:look", args=[job.pk])
