"""Obstacles: why a person may not do something, in sentences they understand. The other half of reasons."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.identity.models import User
from permissions import perms
from permissions.holder import Holder
from permissions.models import GroupMembership
from permissions.models.periods import unended
from permissions.reasons import doing, in_words, until_words

if TYPE_CHECKING:
    from permissions.policies import ObjectPolicy


def obstacles_of(
    policy: "ObjectPolicy[Any]", holder: Holder, user: User, obj: Model, *, perm: str
) -> list[str]:
    """Return what keeps a person from doing `perm` to `obj`; `holder` is theirs, and may not do it."""
    if not user.is_active:
        return [_("%(name)s is deactivated, and can open nothing here") % {"name": user.name}]
    if holder.role is None:
        return [_("%(name)s does not belong to the organisation at the moment") % {"name": user.name}]
    if not holder.may_reach(perm):
        left = doing((holder.ceiling or frozenset()) & frozenset(policy.grantable))
        return [_("Guests may do no more than %(left)s, whatever is shared with them") % {"left": left}]
    words = {"role": holder.role.name, "doing": doing([perm]), "every": policy.every_noun}
    found = [_("%(role)s role does not allow %(doing)s of %(every)s") % words]
    past = [line for level, above in policy.chain(obj) for line in _not_now(level, above, holder, user, perm)]
    return [*found, *(past or [_nothing_shared(holder, user)])]


def _not_now(
    level: "ObjectPolicy[Any]", above: Model, holder: Holder, user: User, perm: str
) -> Iterator[str]:
    """Yield what would let them in at another time: ended grants, and groups left or not yet joined."""
    ids = level.permission_ids(perms.givers(perm) & frozenset(level.grantable))
    what = {"noun": level.noun, "doing": doing([perm])}
    own = level.grants_on(level.user_grants, [above.pk]).filter(user_id=user.pk)
    for row in own.filter(permission_id__in=ids, ends_at__lte=holder.at):
        yield _("The %(noun)s was shared with them for %(doing)s until %(day)s") % {
            **what,
            "day": until_words(row.ends_at),
        }
    of_groups = level.grants_on(level.group_grants, [above.pk]).filter(permission_id__in=ids)
    ended = of_groups.filter(group_id__in=sorted(holder.groups), ends_at__lte=holder.at)
    for row in ended.select_related("group"):
        yield _("The %(noun)s was shared with the group %(group)s for %(doing)s until %(day)s") % {
            **what,
            "group": row.group.name,
            "day": until_words(row.ends_at),
        }
    running = of_groups.filter(unended(at=holder.at)).exclude(group_id__in=sorted(holder.groups))
    yield from _not_in(running.values("group_id"), holder, user, what)


def _not_in(group_ids: Any, holder: Holder, user: User, what: dict[str, str]) -> Iterator[str]:
    """Yield the groups it is shared with that the person has left or will join."""
    periods = GroupMembership.objects.filter(user_id=user.pk, group_id__in=group_ids)
    periods = periods.filter(Q(starts_at__gt=holder.at) | Q(ends_at__lte=holder.at))
    latest = {period.group_id: period for period in periods.select_related("group").order_by("starts_at")}
    for period in latest.values():
        words = {**what, "group": period.group.name}
        if period.starts_at > holder.at:
            day = date_format(localtime(period.starts_at), "j F Y")
            yield _("The %(noun)s is shared with the group %(group)s, in which they are from %(day)s") % {
                **words,
                "day": day,
            }
        elif period.ends_at is not None:
            yield _("The %(noun)s is shared with the group %(group)s, in which they were until %(day)s") % {
                **words,
                "day": until_words(period.ends_at),
            }


def _nothing_shared(holder: Holder, user: User) -> str:
    groups = GroupMembership.objects.current(at=holder.at).filter(user_id=user.pk)
    names = list(groups.order_by("group__name").values_list("group__name", flat=True))
    if names:
        return _("Nothing that allows it is shared with them or their groups: %(groups)s") % {
            "groups": in_words(names)
        }
    return _("Nothing that allows it is shared with them, and they are in no group")
