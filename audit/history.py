"""A single object's own part of the trail, for the pages of the rooms above."""

from django.db.models import Model

from audit.actions.events import reference
from audit.queries import PAGE, Cursor, Filters, page
from audit.sentences import Said, say


def object_history(
    obj: Model, *, after: Cursor | None = None, size: int = PAGE
) -> tuple[list[Said], Cursor | None]:
    """Return what happened to an object, newest first, and where to go on.

    The caller has asked whether the object may be seen: who sees it sees its history.
    """
    type_id, key = reference(obj)
    found = page(Filters(object_id=key, type_id=type_id), after=after, size=size)
    return say(found.entries), found.next
