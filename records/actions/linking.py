"""Values that become links: which records they name, for the person who makes the change."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from accounts.identity.models import User
from permissions.holder import Holder, load
from permissions.policies import policy_for
from records.imports.targets import targets_for
from records.models import Record
from records.values import FieldSpec


def records_named(
    texts: Iterable[str], new: FieldSpec, *, by: UUID | None, at: datetime
) -> Mapping[str, str]:
    """Return the ids of the records that some texts name in the collection that `new` links to.

    Unique fields go before the one that names the records. Only what the person sees is found; an id stands
    for itself, so that asking twice does no harm.
    """
    user = User.objects.filter(pk=by).first() if by else None
    if user is None:
        return {}
    holder, left = load(user, at=at), set(texts)
    found = _ids(left, new, holder)
    for target in targets_for(holder):
        if str(target.collection.pk) == new.option("collection", "") and (left := left - set(found)):
            found.update(target.find(left, holder))
    return found


def _ids(texts: set[str], new: FieldSpec, holder: Holder) -> dict[str, str]:
    keys = {key: text for text in texts if (key := _key(text)) is not None}
    if not keys:
        return {}
    rows = policy_for(Record).visible_to(holder, holder.at)
    there = rows.filter(pk__in=list(keys), collection=new.option("collection", ""))
    return {keys[pk]: str(pk) for pk in there.values_list("pk", flat=True)}


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
