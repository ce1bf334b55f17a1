"""For whom an import works, asked anew whenever something begins: rights may be gone since."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.identity.models import User
from permissions import perms
from permissions.holder import Holder, load
from permissions.policies import policy_for
from records.imports.designs import ColumnChoice
from records.imports.refusals import NotAllowedAnyMore
from records.models import Collection
from records.perms import RECORDS_SENSITIVE


def holder_now(user_id: UUID | None, *, at: datetime) -> Holder:
    """Return what a person holds now. Raises NotAllowedAnyMore for who is gone."""
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    if user is None:
        raise NotAllowedAnyMore
    holder = load(user, at=at)
    if not holder.is_member:
        raise NotAllowedAnyMore
    return holder


def check_may_import(holder: Holder, collection: Collection, choices: Sequence[ColumnChoice] = ()) -> None:
    """Raise NotAllowedAnyMore unless the holder may load these columns into the collection."""
    own = policy_for(Collection).perms_of(holder, collection, holder.at)
    needed = {perms.RECORDS_IMPORT}
    if any(one.is_new for one in choices):
        needed.add(perms.COLLECTIONS_DESIGN)
    if any(one.spec.sensitive for one in choices):
        needed.add(RECORDS_SENSITIVE)
    if collection.deleted_at is not None or not needed <= own:
        raise NotAllowedAnyMore


def check_may_undo(holder: Holder, collection: Collection) -> None:
    """Raise NotAllowedAnyMore unless the holder may take an import out of the collection."""
    own = policy_for(Collection).perms_of(holder, collection, holder.at)
    if not {perms.RECORDS_IMPORT, perms.RECORDS_DELETE} <= own:
        raise NotAllowedAnyMore


def may_begin(holder: Holder) -> bool:
    """Return whether the holder may make a collection out of a file."""
    return holder.holds(perms.COLLECTIONS_DESIGN) and holder.holds(perms.RECORDS_IMPORT)
