"""A single object's own part of the trail, for the pages of the rooms above."""

from dataclasses import replace

from django.db.models import Model

from audit import origins
from audit.actions.events import reference
from audit.origins import Origin
from audit.queries import PAGE, Cursor, Filters, Page, page
from audit.sentences import Said, say


def object_history(
    obj: Model, *, after: Cursor | None = None, size: int = PAGE
) -> tuple[list[Said], Cursor | None]:
    """Return what happened to an object, newest first, and where to go on.

    The caller has asked whether the object may be seen: who sees it sees its history.
    """
    type_id, key = reference(obj)
    found = whole_page(Filters(object_id=key, type_id=type_id), after=after, size=size)
    return say(found.entries), found.next


def whole_page(filters: Filters, *, after: Cursor | None = None, size: int = PAGE) -> Page:
    """Return up to `size` entries, also of what happened before this came here from another organisation.

    The own trail comes first: whatever happened elsewhere happened earlier.
    """
    if after is None or after.origin is None:
        found = page(filters, after=after, size=size)
        return found if found.next else _earlier(found, filters, origins.kept(), size)
    known = origins.kept()
    place = next((number for number, one in enumerate(known) if one.source == after.origin), None)
    if place is None:
        return Page()
    found = _page_of(known[place], filters, after, size)
    return found if found.next else _earlier(found, filters, known[place + 1 :], size)


def _earlier(found: Page, filters: Filters, known: list[Origin], size: int) -> Page:
    """Fill a page up with what stands in the trails of others."""
    for origin in known:
        left = size - len(found.entries)
        if left <= 0:
            # Nothing of this one was read: the page after this begins with its newest entry.
            return replace(found, next=Cursor(2**63 - 1, 0, origin.source))
        more = _page_of(origin, filters, None, left)
        found = Page([*found.entries, *more.entries], more.next)
        if found.next:
            return found
    return found


def _page_of(origin: Origin, filters: Filters, after: Cursor | None, size: int) -> Page:
    with origins.reading(origin):
        found = page(filters, after=after, size=size)
    return replace(found, next=replace(found.next, origin=origin.source)) if found.next else found
