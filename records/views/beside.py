"""What stands beside a record: who can see it and why, files, history, what links to it."""

from typing import Any

from django.http import HttpRequest

from audit.actions.events import reference
from audit.queries import Entry, Filters, page
from audit.sentences import say
from permissions.policies import policy_for
from records.tables import Row
from records.views.places import Place

SHOWN = 20


def around(request: HttpRequest, place: Place, row: Row, *, may_change: bool) -> dict[str, Any]:
    """Return the context of the sections beside a record."""
    return {
        "history": history(place, row),
        "reasons": reasons(place, row),
    }


def reasons(place: Place, row: Row) -> list[str]:
    """Return why this person can see the record."""
    holder = place.table.holder
    return [reason.sentence for reason in policy_for(type(row.obj)).why(holder, row.obj, holder.at)]


def history(place: Place, row: Row) -> list[Any]:
    """Return what happened to a record, without the values of fields that the person may not read."""
    type_id, key = reference(row.obj)
    found = page(Filters(object_id=key, type_id=type_id), size=SHOWN)
    return say([_for(place, entry) for entry in found.entries])


def _for(place: Place, entry: Entry) -> Entry:
    return entry
