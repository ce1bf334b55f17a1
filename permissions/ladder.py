"""The ladder: who may act on whom, and who may give what.

Three rules, asked by every action: one acts only with the permission for it, held now; nobody edits
somebody on a higher rung; nobody gives what they do not hold. Holders are always loaded afresh
here, never taken from the request, because another transaction may have lowered the one who acts.
"""

from datetime import datetime

from accounts.identity.models import User
from permissions import perms
from permissions.holder import Holder, load
from permissions.models import Role
from permissions.models.roles import OWNER_RANK
from permissions.refusals import AboveYou, MoreThanYouHold, NotAllowed, Retired


def acting(by: User, *, perm: str, at: datetime) -> Holder:
    """Return the holder of who acts; raise NotAllowed if they do not hold `perm` at `at`."""
    holder = load(by, at=at)
    if not holder.holds(perm):
        raise NotAllowed
    return holder


def check_not_above(holder: Holder, target: Role | None) -> None:
    """Raise AboveYou if the role of somebody else stands higher than the holder's, or holds more."""
    if target is None or holder.role is None:
        return
    if target.rank > holder.rank:
        raise AboveYou
    if target.rank == holder.rank and target.pk != holder.role.pk and not target.held() <= holder.held:
        raise AboveYou


def check_may_give(holder: Holder, role: Role) -> None:
    """Raise if a role is above the holder's, or holds what the holder does not."""
    if role.retired_at is not None:
        raise Retired
    if role.rank > holder.rank:
        raise AboveYou("You cannot give a role above your own.")
    check_holds_all(holder, role.held())


def check_holds_all(holder: Holder, names: frozenset[str]) -> None:
    """Raise MoreThanYouHold if the holder lacks one of the names in the whole organisation."""
    if holder.rank == OWNER_RANK:
        return
    missing = names - holder.held
    if missing:
        labels = ", ".join(sorted(str(perms.known(name).label).lower() for name in missing))
        raise MoreThanYouHold(f"You can only give what you may do yourself. Missing: {labels}.")


def givable_roles(holder: Holder) -> list[Role]:
    """Return the roles that the holder may give, highest first."""
    return [
        role
        for role in Role.objects.in_use().by_rank()
        if role.rank <= holder.rank and (holder.rank == OWNER_RANK or role.held() <= holder.held)
    ]
