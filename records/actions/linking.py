"""Values that become links: which records they name, for the person who makes the change."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from accounts.identity.models import User
from permissions.holder import Holder, load
from permissions.policies import policy_for
from records.actions.refusals import CannotDesign
from records.imports.targets import targets_for
from records.models import Collection, Record
from records.values import FieldSpec


def records_named(
    texts: Iterable[str], new: FieldSpec, *, by: UUID | None, at: datetime
) -> Mapping[str, str]:
    """Return the ids of the records that some texts name in the collection that `new` links to.

    Unique fields go before the one that names the records. Only what the person sees is found; an id stands
    for itself, so that asking twice does no harm. Raises CannotDesign if the person sees nothing by which
    records there could be found: then no value is to be lost.
    """
    user = User.objects.filter(pk=by).first() if by else None
    holder = load(user, at=at) if user else None
    wanted = new.option("collection", "")
    targets = [one for one in targets_for(holder) if str(one.collection.pk) == wanted] if holder else []
    if holder is None or not targets:
        raise CannotDesign("Values can only become links to records that you see, and that have a name.")
    left = set(texts)
    found = _ids(left, targets[0].collection, holder)
    for target in targets:
        if left := left - set(found):
            found.update(target.find(left, holder))
    return found


def _ids(texts: set[str], collection: Collection, holder: Holder) -> dict[str, str]:
    keys = {key: text for text in texts if (key := _key(text)) is not None}
    if not keys:
        return {}
    there = policy_for(Record).visible_within(holder, collection, holder.at).filter(pk__in=list(keys))
    return {keys[pk]: str(pk) for pk in there.values_list("pk", flat=True)}


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
