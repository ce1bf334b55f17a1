"""For whom an import works, asked anew whenever something begins: rights may be gone since."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.identity.models import User
from permissions import perms
from permissions.holder import Holder, load
from records.imports.designs import ColumnChoice
from records.imports.destination import Destination
from records.imports.refusals import NotAllowedAnyMore
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


def check_may_import(holder: Holder, there: Destination, choices: Sequence[ColumnChoice] = ()) -> None:
    """Raise NotAllowedAnyMore unless the holder may load these columns into a table."""
    needed = {perms.RECORDS_IMPORT}
    if any(one.is_new for one in choices):
        needed.add(perms.COLLECTIONS_DESIGN)
    if any(one.spec.sensitive for one in choices):
        needed.add(RECORDS_SENSITIVE)
    if not needed <= there.perms_of(holder):
        raise NotAllowedAnyMore


def may_undo(holder: Holder, there: Destination) -> bool:
    """Return whether the holder may take an import out of a table."""
    return {perms.RECORDS_IMPORT, perms.RECORDS_DELETE} <= there.perms_of(holder)


def may_begin(holder: Holder) -> bool:
    """Return whether the holder may make a collection out of a file."""
    return holder.holds(perms.COLLECTIONS_DESIGN) and holder.holds(perms.RECORDS_IMPORT)
