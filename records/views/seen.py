"""What a person sees of the organisation's collections; read once a request."""

from collections.abc import Iterable, Mapping

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from config.frame import NavItem
from permissions import perms
from permissions.holder import holder_of
from permissions.policies import policy_for
from records import rooms
from records.models import Collection

_KEPT = "_records_collections"


def visible_collections(request: HttpRequest) -> list[Collection]:
    """Return the collections that the person sees, with their counts, in one query a request."""
    kept: list[Collection] | None = getattr(request, _KEPT, None)
    if kept is None:
        holder = holder_of(request)
        # The policy's querysets are those of the model, with its own questions.
        seen = policy_for(Collection).visible_to(holder, holder.at)
        counted = Collection.objects.filter(pk__in=seen.values("pk")).with_counts()
        # Named here, because the model's own order is dropped where rows are summed up.
        kept = list(counted.order_by("position", "name"))
        setattr(request, _KEPT, kept)
    return kept


def collection_keys(request: HttpRequest) -> Mapping[str, str]:
    """Return the keys of the collections by id."""
    return {str(collection.pk): collection.key for collection in visible_collections(request)}


def counts_are_known(request: HttpRequest) -> bool:
    """Return whether the person sees all records, so that the collections' counts are also theirs."""
    return holder_of(request).holds(perms.RECORDS_VIEW)


def nav(request: HttpRequest) -> Iterable[NavItem]:
    """Return the collections for the frame, and the way to a new one for those who may."""
    if not holder_of(request).is_member:
        return
    counted = counts_are_known(request)
    for order, collection in enumerate(visible_collections(request)):
        yield NavItem(
            collection.name,
            reverse("records:list", args=[collection.key]),
            collection.icon,
            count=collection.record_count() if counted else None,
            order=order,
        )
    if counted:
        # Who was given single rows of a room finds them under what is shared with them.
        for order, room in enumerate(rooms.registered(), start=5_000):
            yield NavItem(room.title, reverse("records:room-list", args=[room.key]), room.icon, order=order)
    if address := address_of("records:collection-new"):
        yield NavItem("New collection", address, "plus", perms.COLLECTIONS_DESIGN, order=10_000)


def address_of(name: str, *args: object) -> str:
    """Return the address of a page, or "" where this installation has none of that name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
