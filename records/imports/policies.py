"""Who sees an import: the person who began it, and those who may import into its collection or room."""

from collections.abc import Sequence
from typing import ClassVar

from django.db.models import Q

from permissions import perms
from permissions.holder import Holder
from permissions.policies import NOTHING, ObjectPolicy, policy_for, register
from records.models import Collection, Import


class ImportPolicy(ObjectPolicy[Import]):
    """Imports are not shared by themselves. What changes a collection asks for rights on it besides."""

    view = perms.RECORDS_IMPORT
    grantable: ClassVar[Sequence[str]] = ()
    parent = "collection"
    noun = "import"
    every_noun = "every import"

    def condition(self, holder: Holder, perm: str) -> Q:
        """One's own, and those of collections and rooms that one may import into."""
        if not holder.is_member:
            return NOTHING
        own = Q(created_by=holder.user_id)
        reached = policy_for(Collection).visible_to(holder, holder.at, to=perms.RECORDS_IMPORT)
        found = own | Q(collection__in=reached.values("pk"))
        # Rooms have no grants on all of their rows: the role decides.
        return found | ~Q(room="") if holder.holds(perms.RECORDS_IMPORT) else found


def install() -> None:
    """Register the policy; called when the app is ready."""
    register(Import, ImportPolicy)
