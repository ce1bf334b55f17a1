"""Groups: the list, a group with its people and their periods, and changing both."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.identity.models import User
from config.ui.words import counted
from permissions import perms
from permissions.access import requires
from permissions.actions.groups import add_to_group, change_group, create_group, delete_group, end_in_group
from permissions.forms import (
    GroupForm,
    GroupPersonForm,
    LastDayForm,
    NoFields,
    PersonGroupForm,
    beginning_of,
    end_of,
)
from permissions.grants import shared_with
from permissions.holder import holder_of
from permissions.models import GroupMembership, GroupProfile
from permissions.models.periods import holding
from permissions.reasons import until_words
from permissions.views.answers import FormPage, answer_form, person_of, sent


@require_safe
@requires(perms.PEOPLE_VIEW)
def groups(request: HttpRequest) -> HttpResponse:
    """The list of groups with how many people are in each now."""
    now = Q(group__periods__user__is_active=True) & holding(at=timezone.now(), prefix="group__periods__")
    found = GroupProfile.objects.select_related("group").annotate(people=Count("group__periods", filter=now))
    asked = request.GET.get("q", "").strip()
    if asked:
        found = found.filter(Q(group__name__icontains=asked) | Q(description__icontains=asked))
    context = {
        "groups": found.order_by("group__name"),
        "asked": asked,
        "may_manage": holder_of(request).holds(perms.GROUPS_MANAGE),
    }
    return render(request, "permissions/group_list.html", context)


@require_safe
@requires(perms.PEOPLE_VIEW)
def group(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A group: its people now and to come, who was in it, and what is shared with it."""
    at, holder = timezone.now(), holder_of(request)
    found = _group(pk)
    periods = list(
        GroupMembership.objects.filter(group=found.group).select_related("user").order_by("user__name")
    )
    context = {
        "group": found,
        "crumbs": [{"label": "Groups", "url": reverse("permissions:groups")}],
        "periods": [period for period in periods if period.ends_at is None or period.ends_at > at],
        "past": [period for period in periods if period.ends_at is not None and period.ends_at <= at],
        "now": at,
        "may_manage": holder.holds(perms.GROUPS_MANAGE),
        "shared": shared_with(group=found.group, at=at) if holder.holds(perms.SHARING_VIEW) else None,
    }
    return render(request, "permissions/group_detail.html", context)


@require_http_methods(["GET", "POST"])
@requires(perms.GROUPS_MANAGE)
def make(request: HttpRequest) -> HttpResponse:
    """Make a group."""

    def do(given: dict[str, Any]) -> str:
        create_group(**given, by=person_of(request), at=timezone.now())
        return f"The group {given['name']} is there. Add people to it."

    back = reverse("permissions:groups")
    page = FormPage(title="New group", label="Make the group", back=back, crumbs=(("Groups", back),))
    return answer_form(request, GroupForm(sent(request)), page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.GROUPS_MANAGE)
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Give a group another name and description."""
    found = _group(pk)
    initial = {"name": found.name, "description": found.description}

    def do(given: dict[str, Any]) -> str:
        change_group(group=found, **given, by=person_of(request), at=timezone.now())
        return "Saved."

    page = _page(found, title=f"Edit {found.name}", label="Save")
    return answer_form(request, GroupForm(sent(request), initial=initial), page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.GROUPS_MANAGE)
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Delete a group, after saying what goes with it."""
    found, at = _group(pk), timezone.now()
    people = GroupMembership.objects.current(at=at).filter(group=found.group).count()
    shared = len(shared_with(group=found.group, at=at))

    def do(given: dict[str, Any]) -> str:
        delete_group(group=found, by=person_of(request), at=at)
        return f"The group {found.name} is deleted."

    page = FormPage(
        title=f"Delete the group {found.name}",
        label=f"Delete {found.name}",
        back=reverse("permissions:groups"),
        crumbs=(("Groups", reverse("permissions:groups")), (found.name, _url(found))),
        tone="danger",
        consequences=[
            f"{counted(people, 'person is', 'people are')} in it; what they have through it ends at once.",
            f"{counted(shared, 'thing is', 'things are')} shared with it, and no longer afterwards.",
            "A group made later with the same name starts empty.",
        ],
    )
    return answer_form(request, NoFields(sent(request)), page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.GROUPS_MANAGE)
def add_person(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put a person into a group."""
    found, at = _group(pk), timezone.now()

    def do(given: dict[str, Any]) -> str:
        add_to_group(
            group=found,
            user=given["person"],
            by=person_of(request),
            at=at,
            starts_at=beginning_of(given["starts"]),
            ends_at=end_of(given["ends"]),
        )
        return f"{given['person'].name} is in {found.name}."

    page = _page(found, title=f"Add a person to {found.name}", label="Add to the group")
    return answer_form(request, GroupPersonForm(sent(request), at=at), page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.GROUPS_MANAGE)
def add_group(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put a person into a group, from the person's page."""
    who, at = get_object_or_404(User, pk=pk), timezone.now()

    def do(given: dict[str, Any]) -> str:
        add_to_group(
            group=given["group"],
            user=who,
            by=person_of(request),
            at=at,
            starts_at=beginning_of(given["starts"]),
            ends_at=end_of(given["ends"]),
        )
        return f"{who.name} is in {given['group'].name}."

    back = reverse("permissions:person", args=[who.pk])
    people = (("People", reverse("permissions:people")), (who.name, back))
    page = FormPage(title=f"Add {who.name} to a group", label="Add to the group", back=back, crumbs=people)
    return answer_form(request, PersonGroupForm(sent(request)), page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.GROUPS_MANAGE)
def end_person(request: HttpRequest, pk: UUID, person: UUID) -> HttpResponse:
    """End a person's time in a group, now or on a day to come."""
    found, who = _group(pk), get_object_or_404(User, pk=person)

    form = LastDayForm(sent(request))

    def do(given: dict[str, Any]) -> str:
        until = form.until()
        end_in_group(group=found, user=who, by=person_of(request), at=timezone.now(), ends_at=until)
        if until is not None:
            return f"{who.name} is in {found.name} until {until_words(until)}."
        return f"{who.name} is no longer in {found.name}."

    page = _page(
        found,
        title=f"When {who.name} leaves {found.name}",
        label="Set the end",
        consequences=["What is shared with the group ends for them then. That they were in it stays known."],
    )
    return answer_form(request, form, page, do)


def _group(pk: UUID) -> GroupProfile:
    return get_object_or_404(GroupProfile.objects.select_related("group"), pk=pk)


def _url(found: GroupProfile) -> str:
    return reverse("permissions:group", args=[found.pk])


def _page(found: GroupProfile, **said: Any) -> FormPage:
    crumbs = (("Groups", reverse("permissions:groups")), (found.name, _url(found)))
    return FormPage(back=_url(found), crumbs=crumbs, **said)
