"""People: the list, a person, their role, and letting them in and out."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actions.directory import note_person
from accounts.identity.models import User
from config.ui.words import counted
from permissions import people_extras, perms
from permissions.access import requires
from permissions.actions.memberships import (
    assign_role,
    deactivate,
    end_membership,
    lift_last_day,
    reactivate,
)
from permissions.forms import LastDayForm, NoFields, RoleForm
from permissions.grants import shared_with
from permissions.holder import Holder, holder_of, load
from permissions.models import GroupMembership, Membership
from permissions.reasons import until_words
from permissions.views.answers import FormPage, answer_form, person_of, sent

PAGE = 100
STATES = (("", "Active"), ("left", "Left"), ("all", "All"))


@require_safe
@requires(perms.PEOPLE_VIEW)
def people(request: HttpRequest) -> HttpResponse:
    """The list of people: searched by name and address, by state, a page at a time."""
    at = timezone.now()
    asked, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    found = _after(_in_state(_listed(at), state, at=at), request.GET.get("after", ""))
    if asked:
        found = found.filter(Q(name__icontains=asked) | Q(email__icontains=asked))
    page = list(found[: PAGE + 1])
    rows = [_row(person, at=at) for person in page[:PAGE]]
    more = ""
    if len(page) > PAGE:
        query = request.GET.copy()
        query["after"] = str(page[PAGE - 1].pk)
        more = f"{request.path}?{query.urlencode()}"
    fragment = bool(getattr(request, "htmx", False)) and "after" in request.GET
    tabs = [
        {"label": label, "url": f"?state={key}" if key else request.path, "current": key == state}
        for key, label in STATES
    ]
    return render(
        request,
        "permissions/_people_rows.html" if fragment else "permissions/people_list.html",
        {
            "rows": rows,
            "more": more,
            "asked": asked,
            "state": state,
            "tabs": tabs,
            "buttons": people_extras.buttons(request),
            "sections": [] if fragment else people_extras.list_sections(request),
        },
    )


def _listed(at: datetime) -> QuerySet[User]:
    """Return the people with their memberships and present groups, in a constant number of queries."""
    memberships = Membership.objects.select_related("role").order_by("starts_at")
    groups = GroupMembership.objects.current(at=at).select_related("group__profile").order_by("group__name")
    listed = User.objects.order_by("name", "pk").prefetch_related(
        Prefetch("memberships", queryset=memberships)
    )
    return listed.prefetch_related(Prefetch("group_memberships", queryset=groups))


def _in_state(found: QuerySet[User], state: str, *, at: datetime) -> QuerySet[User]:
    belongs = Exists(Membership.objects.current(at=at).filter(user_id=OuterRef("pk")))
    if state == "all":
        return found
    active = Q(is_active=True) & Q(belongs)
    return found.exclude(active) if state == "left" else found.filter(active)


def _after(found: QuerySet[User], key: str) -> QuerySet[User]:
    """Return the people after one of them; from the beginning for a key that is nobody's."""
    try:
        last = User.objects.filter(pk=UUID(key)).first() if key else None
    except ValueError:
        last = None
    if last is None:
        return found
    return found.filter(Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk))


def _row(person: User, *, at: datetime) -> dict[str, Any]:
    periods = list(person.memberships.all())
    now = next((period for period in periods if period.holds(at=at)), None)
    belongs = person.is_active and now is not None
    return {
        "person": person,
        "url": reverse("permissions:person", args=[person.pk]),
        "role": now.role.name if belongs and now else "",
        "groups": [period.group for period in person.group_memberships.all()],
        "since": periods[0].starts_at if periods else person.joined_at,
        "state": _state(person, now, at=at),
        "tone": "ok" if belongs else "quiet",
    }


def _state(person: User, now: Membership | None, *, at: datetime) -> str:
    if not person.is_active:
        return "Deactivated"
    if now is None:
        return "Left"
    return f"Until {until_words(now.ends_at)}" if now.ends_at else "Active"


@require_safe
@requires(perms.PEOPLE_VIEW)
def person(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A person: role, groups with periods, what is shared with them, and what their past was."""
    at, holder = timezone.now(), holder_of(request)
    who = get_object_or_404(_listed(at), pk=pk)
    theirs = load(who, at=at)
    context = {
        "who": who,
        "row": _row(who, at=at),
        "crumbs": [{"label": "People", "url": reverse("permissions:people")}],
        "is_self": who.pk == holder.user_id,
        "may_manage": holder.holds(perms.PEOPLE_MANAGE) and theirs.rank <= holder.rank,
        "may_group": holder.holds(perms.GROUPS_MANAGE) and theirs.is_member,
        "belongs": theirs.is_member,
        "periods": who.memberships.all(),
        "groups": GroupMembership.objects.filter(user=who)
        .filter(Q(ends_at=None) | Q(ends_at__gt=at))
        .select_related("group__profile"),
        "shared": shared_with(user=who, at=at) if _may_see_sharing(holder, who) else None,
        "sections": people_extras.person_sections(request, who),
    }
    return render(request, "permissions/person_detail.html", context)


def _may_see_sharing(holder: Holder, who: User) -> bool:
    return who.pk == holder.user_id or holder.holds(perms.SHARING_VIEW)


def _page(who: User, **said: Any) -> FormPage:
    here = reverse("permissions:person", args=[who.pk])
    return FormPage(back=here, crumbs=(("People", reverse("permissions:people")), (who.name, here)), **said)


@require_http_methods(["GET", "POST"])
@requires(perms.PEOPLE_MANAGE)
def change_role(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Give a person another role."""
    who, at = get_object_or_404(User, pk=pk), timezone.now()
    membership = Membership.objects.current(at=at).filter(user=who).first()
    form = RoleForm(
        sent(request),
        holder=holder_of(request),
        initial={"role": membership.role_id if membership else None},
    )
    stays = []
    if membership is not None and membership.ends_at is not None:
        stays = [f"Their last day stays: {until_words(membership.ends_at)}."]

    def do(given: dict[str, Any]) -> str:
        assign_role(user=who, role=given["role"], by=person_of(request), at=at)
        return f"{who.name} is {given['role'].name} now."

    page = _page(
        who,
        title=f"Role of {who.name}",
        label="Change role",
        consequences=["What the new role allows and forbids is felt at once, on every device.", *stays],
    )
    return answer_form(request, form, page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.PEOPLE_MANAGE)
def shut_out(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Deactivate a person, after saying what goes with it."""
    who, at = get_object_or_404(User, pk=pk), timezone.now()
    groups = GroupMembership.objects.current(at=at).filter(user=who).count()
    shared = len(shared_with(user=who, at=at))

    def do(given: dict[str, Any]) -> str:
        deactivate(user=who, by=person_of(request), at=at)
        note_person(who)
        return f"{who.name} is deactivated."

    page = _page(
        who,
        title=f"Deactivate {who.name}",
        label=f"Deactivate {who.name}",
        tone="danger",
        consequences=[
            "They are signed out everywhere, at once, and cannot sign in.",
            f"They leave {counted(groups, 'group', 'groups')}, and do not come back by themselves.",
            f"What is shared with them directly, {counted(shared, 'thing', 'things')}, gives them nothing "
            "until they are reactivated.",
            "What they made, and what they did in the trail, stays under their name.",
        ],
    )
    return answer_form(request, NoFields(sent(request)), page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.PEOPLE_MANAGE)
def let_in(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Reactivate a person with a role."""
    who, at = get_object_or_404(User, pk=pk), timezone.now()
    shared = len(shared_with(user=who, at=at))
    form = RoleForm(sent(request), holder=holder_of(request))

    def do(given: dict[str, Any]) -> str:
        reactivate(user=who, role=given["role"], by=person_of(request), at=at)
        note_person(who)
        return f"{who.name} can sign in again as {given['role'].name}."

    page = _page(
        who,
        title=f"Reactivate {who.name}",
        label=f"Reactivate {who.name}",
        consequences=[
            "They can sign in again with what they used before.",
            f"What was shared with them directly, {counted(shared, 'thing', 'things')}, counts again.",
            "They are in no group until somebody adds them.",
        ],
    )
    return answer_form(request, form, page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.PEOPLE_MANAGE)
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Plan the end of a person's membership, or end it now."""
    who, at = get_object_or_404(User, pk=pk), timezone.now()
    now = Membership.objects.current(at=at).filter(user=who).first()
    planned = now.ends_at if now else None
    form = LastDayForm(
        sent(request),
        may_stay=planned is not None,
        initial={"ends": timezone.localdate(planned - timedelta(microseconds=1)) if planned else None},
    )

    def do(given: dict[str, Any]) -> str:
        if form.never():
            lift_last_day(user=who, by=person_of(request), at=at)
            return f"{who.name} stays, without a last day."
        until = form.until()
        end_membership(user=who, by=person_of(request), at=at, ends_at=until)
        note_person(who)
        return f"{who.name} belongs until {until_words(until)}." if until else f"{who.name} has left."

    page = _page(
        who,
        title=f"When {who.name} leaves",
        label="Set the end",
        consequences=["After their last day they can open nothing here. Their history stays."],
    )
    return answer_form(request, form, page, do)
