"""What the share panel of an object shows: used by this room's pages and included by those of others.

context["sharing"] = panel_for(request, record)
{% include "permissions/_share_panel.html" with sharing=sharing only %}
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from permissions import perms
from permissions.forms import name_of
from permissions.grants import Shared, shared_on
from permissions.holder import holder_of
from permissions.models import Role
from permissions.policies import policy_for
from permissions.reasons import Reason, doing, in_words, until_words


@dataclass(frozen=True, slots=True)
class Line:
    """One holder of grants on the object, or on what it inherits from."""

    name: str
    is_group: bool
    may: str
    detail: str
    inherited_from: str
    revoke_url: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Who can open an object, why the person who looks can, and what they may change about it.

    Who may neither see people nor share the object learns only about themself: `lines` is None.
    """

    name: str
    url: str
    share_url: str
    why: list[Reason]
    roles: str
    lines: list[Line] | None


def address(view: str, obj: Model) -> str:
    """Return the address of one of this room's pages about an object."""
    args = [policy_for(type(obj)).type_id, str(obj.pk)]
    return reverse(f"permissions:{view}", urlconf=settings.URLCONF_TENANT, args=args)


def panel_for(request: HttpRequest, obj: Model) -> Panel:
    """Return the panel of an object that the person of the request can see."""
    policy: Any = policy_for(type(obj))
    holder = holder_of(request)
    held = policy.perms_of(holder, obj, holder.at)
    may_share = policy.share in held and bool(policy.grantable)
    lines: list[Line] | None = None
    if may_share or holder.holds(perms.PEOPLE_VIEW):
        lines = [
            _line(shared, obj, may_share=may_share and shared.names <= held)
            for level, above in policy.chain(obj)
            for shared in shared_on(above, level, at=holder.at)
        ]
    return Panel(
        name=policy.name_of(obj),
        url=address("access", obj),
        share_url=address("share", obj) if may_share else "",
        why=policy.why(holder, obj, holder.at),
        roles=_roles(policy.view) if lines is not None else "",
        lines=lines,
    )


def _roles(view: str) -> str:
    """Return which roles see every object of the kind, as a sentence; empty if none does."""
    names = [
        role.name for role in Role.objects.in_use().by_rank() if not role.is_guest and view in role.held()
    ]
    return _("Everybody with the role %(roles)s") % {"roles": in_words(names)} if names else ""


def _line(shared: Shared, obj: Model, *, may_share: bool) -> Line:
    to: Any = shared.group or shared.user
    above = "" if shared.obj == obj else f"{shared.policy.noun} {shared.policy.name_of(shared.obj)}"
    detail = []
    if shared.by is not None:
        detail.append(_("by %(by)s") % {"by": shared.by.name})
    if shared.until is not None:
        detail.append(_("until %(day)s") % {"day": until_words(shared.until)})
    revoke = f"{address('unshare', obj)}?to={name_of(to)}" if may_share and not above else ""
    return Line(str(to), shared.group is not None, doing(shared.names), ", ".join(detail), above, revoke)
