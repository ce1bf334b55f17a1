"""Sharing: all of it on one page, and who has access to one object, why, and changing it."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.identity.models import User
from permissions import perms
from permissions.access import get_or_404, requires, signed_in
from permissions.actions.grants import grant, revoke
from permissions.forms import NoFields, ShareForm, end_of, holder_named, name_of
from permissions.grants import everything_shared, shared_on, shared_with
from permissions.holder import holder_of, load, members
from permissions.models import GroupProfile
from permissions.obstacles import obstacles_of
from permissions.panels import address, panel_for
from permissions.policies import policy_by_type, policy_for
from permissions.reasons import doing
from permissions.views.answers import FormPage, answer_form, person_of, sent

# So many lines are shown on the page of all sharing, and so many searched: the newest.
MOST, SEARCHED = 500, 5000


@require_safe
@requires(perms.SHARING_VIEW)
def sharing(request: HttpRequest) -> HttpResponse:
    """Everything that is shared: with whom, for what, until when, by whom."""
    asked = request.GET.get("q", "").strip().lower()
    rows = []
    for shared in everything_shared(at=timezone.now(), most=SEARCHED if asked else MOST):
        to: Any = shared.group or shared.user
        row = {
            "what": shared.policy.name_of(shared.obj),
            "kind": shared.policy.noun,
            "url": address("access", shared.obj),
            "to": str(to),
            "is_group": shared.group is not None,
            "may": doing(shared.names),
            "until": shared.until,
            "by": shared.by.name if shared.by else "",
            "at": shared.at,
            "revoke_url": f"{address('unshare', shared.obj)}?to={name_of(to)}",
        }
        if not asked or any(asked in str(row[key]).lower() for key in ("what", "kind", "to", "by")):
            rows.append(row)
    context = {"rows": rows[:MOST], "asked": asked, "most": MOST, "searched": SEARCHED, "tabs": _tabs("all")}
    return render(request, "permissions/sharing_list.html", context)


def _tabs(here: str) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": reverse(f"permissions:{name}"), "current": key == here}
        for key, label, name in (("all", "Everything", "sharing"), ("mine", "With me", "shared_with_me"))
    ]


@require_safe
@signed_in
def access(request: HttpRequest, kind: int, key: str) -> HttpResponse:
    """Who can open an object, and why: the one who looks, and anybody they name."""
    obj = _object(request, kind, key)
    holder = holder_of(request)
    panel = panel_for(request, obj)
    question = None
    if panel.lines is not None and holder.holds(perms.PEOPLE_VIEW):
        question = _question(request, obj)
    in_panel = bool(getattr(request, "htmx", False)) and request.headers.get("HX-Target") in (
        "panel",
        "dialog",
    )
    context = {
        "sharing": panel,
        "question": question,
        "in_panel": in_panel,
        "crumbs": [{"label": label, "url": url} for label, url in _crumbs(obj)],
    }
    return render(request, f"permissions/{'_access' if in_panel else 'access_detail'}.html", context)


def _usual(policy: Any) -> str:
    """Return what people mean by access: on a collection, its records and not its design alone."""
    return perms.RECORDS_VIEW if perms.RECORDS_VIEW in policy.grantable else str(policy.view)


def _crumbs(obj: Model) -> tuple[tuple[str, str], ...]:
    """Return the way back to an object that has a page of its own."""
    policy: Any = policy_for(type(obj))
    url = policy.url_of(obj)
    return ((policy.name_of(obj), url),) if url else ()


def _question(request: HttpRequest, obj: Model) -> dict[str, Any]:
    """Return "why can she do this?" with its answer, which may be why not; no answer if nobody is named."""
    policy: Any = policy_for(type(obj))
    at = holder_of(request).at
    perm = request.GET.get("perm", "")
    if perm not in policy.grantable:
        perm = _usual(policy)
    question: dict[str, Any] = {
        "people": members(at=at),
        "perms": [one for one in perms.every() if one.name in policy.grantable],
        "perm": perm,
        "doing": doing([perm]),
        "person": _asked(request.GET.get("person", "")),
    }
    if question["person"] is not None:
        theirs = load(question["person"], at=at)
        question["may"] = policy.allows(theirs, perm, obj, at)
        if question["may"]:
            reasons = policy.why(theirs, obj, at)
            question["lines"] = [one.sentence for one in reasons if perm in perms.closed(one.perms)]
        else:
            question["lines"] = obstacles_of(policy, theirs, question["person"], obj, perm=perm)
    return question


@require_http_methods(["GET", "POST"])
@signed_in
def share(request: HttpRequest, kind: int, key: str) -> HttpResponse:
    """Share an object with a person or a group."""
    obj = _object(request, kind, key)
    policy: Any = policy_for(type(obj))
    holder, at = holder_of(request), timezone.now()
    held = policy.perms_of(holder, obj, at)
    if policy.share not in held:
        raise PermissionDenied
    form = ShareForm(
        sent(request),
        held=held & frozenset(policy.grantable),
        holder=holder,
        initial={"perms": [_usual(policy)]},
    )

    def do(given: dict[str, Any]) -> str:
        to = form.holder()
        grant(
            obj=obj, to=to, names=given["perms"], by=person_of(request), at=at, ends_at=end_of(given["ends"])
        )
        return f"{policy.name_of(obj)} is shared with {to.name}."

    page = FormPage(
        title=f"Share {policy.name_of(obj)}",
        label="Share",
        back=address("access", obj),
        crumbs=_crumbs(obj),
        text="Those you share with may do this and what it includes, and nothing else here.",
    )
    return answer_form(request, form, page, do)


@require_http_methods(["GET", "POST"])
@signed_in
def unshare(request: HttpRequest, kind: int, key: str) -> HttpResponse:
    """Take back what is shared of an object with one person or group."""
    obj = _object(request, kind, key)
    policy: Any = policy_for(type(obj))
    to = _holder(request.GET.get("to", ""))
    may_share = policy.allows(holder_of(request), policy.share, obj, timezone.now())
    if not may_share and to != request.user:
        raise PermissionDenied
    names = frozenset[str]().union(
        *(one.names for one in shared_on(obj, policy, at=timezone.now()) if _is_with(one, to))
    )

    def do(given: dict[str, Any]) -> str:
        revoke(obj=obj, to=to, by=person_of(request), at=timezone.now())
        return f"{policy.name_of(obj)} is no longer shared with {'you' if own else to.name}."

    own = to == request.user
    name = policy.name_of(obj)
    back = address("access", obj) if may_share and not own else reverse("permissions:shared_with_me")
    page = FormPage(
        title=f"Give up your access to {name}" if own else f"Stop sharing {name} with {to.name}",
        label="Give it up" if own else "Stop sharing",
        back=back,
        tone="danger",
        consequences=[
            f"{'You' if own else 'They'} lose {doing(names)}, at once, unless it comes in another way.",
            "What comes by role, by a group or from above stays.",
        ],
    )
    return answer_form(request, NoFields(sent(request)), page, do)


def _is_with(shared: Any, to: User | GroupProfile) -> bool:
    if isinstance(to, GroupProfile):
        return bool(shared.group is not None and shared.group.pk == to.group_id)
    return bool(shared.user is not None and shared.user.pk == to.pk)


def _object(request: HttpRequest, kind: int, key: str) -> Model:
    """Return the object that the address names, if the person can see it; 404 otherwise."""
    policy = policy_by_type(kind)
    if policy is None:
        raise Http404
    model: type[Model] = policy.model
    try:
        return get_or_404(holder_of(request), model, key, to=policy.view)
    except (ValidationError, ValueError) as wrong:
        raise Http404 from wrong


def _holder(name: str) -> User | GroupProfile:
    try:
        return holder_named(name)
    except (ObjectDoesNotExist, ValidationError, ValueError) as wrong:
        raise Http404 from wrong


def _asked(key: str) -> User | None:
    """Return the person asked about; None if nobody is, 404 for who does not exist."""
    if not key:
        return None
    try:
        return get_object_or_404(User, pk=UUID(key))
    except ValueError as wrong:
        raise Http404 from wrong


@require_safe
@signed_in
def shared_with_me(request: HttpRequest) -> HttpResponse:
    """What is shared with the person who looks, directly and through groups."""
    holder = holder_of(request)
    found = shared_with(user=person_of(request), at=holder.at)
    for group in Group.objects.filter(pk__in=holder.groups).order_by("name"):
        found.extend(shared_with(group=group, at=holder.at))
    rows = [
        {
            "what": shared.policy.name_of(shared.obj),
            "kind": shared.policy.noun,
            "url": shared.policy.url_of(shared.obj) or address("access", shared.obj),
            "through": str(shared.group) if shared.group else "",
            "may": doing(holder.under_ceiling(shared.names) & shared.names),
            "until": shared.until,
            "by": shared.by.name if shared.by else "",
            "give_up_url": f"{address('unshare', shared.obj)}?to={name_of(shared.user)}"
            if shared.user
            else "",
        }
        for shared in found
    ]
    tabs = _tabs("mine") if holder.holds(perms.SHARING_VIEW) else []
    return render(request, "permissions/shared_with_me.html", {"rows": rows, "tabs": tabs})
