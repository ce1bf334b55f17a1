"""Roles: what each allows, the organisation's own ones, and what guests may at most."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from config.ui.words import counted
from permissions import perms
from permissions.access import requires
from permissions.actions.roles import change_role, create_role, delete_role, set_guest_ceiling
from permissions.forms import CeilingForm, InsteadForm, NoFields, OwnRoleForm
from permissions.holder import holder_of
from permissions.models import Membership, PermissionSettings, Role
from permissions.models.periods import holding
from permissions.models.roles import GUEST_RANK
from permissions.views.answers import FormPage, answer_form, person_of, sent


@require_safe
@requires(perms.PEOPLE_VIEW)
def roles(request: HttpRequest) -> HttpResponse:
    """Every role with its people, and the matrix of what each allows."""
    now = Q(memberships__user__is_active=True) & holding(at=timezone.now(), prefix="memberships__")
    found = list(Role.objects.in_use().by_rank().annotate(people=Count("memberships", filter=now)))
    held = [role.held() for role in found]
    ceiling = frozenset(PermissionSettings.objects.values_list("guest_ceiling", flat=True).get())
    holder = holder_of(request)
    context = {
        "roles": found,
        "matrix": [
            {"perm": perm, "cells": [perm.name in names for names in held], "guests": perm.name in ceiling}
            for perm in perms.every()
        ],
        "may_manage": holder.holds(perms.ROLES_MANAGE),
        "may_set": holder.holds(perms.SETTINGS_CHANGE),
    }
    return render(request, "permissions/role_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(perms.ROLES_MANAGE)
def make(request: HttpRequest) -> HttpResponse:
    """Make an own role."""
    form = OwnRoleForm(sent(request), holder=holder_of(request), is_new=True)

    def do(given: dict[str, Any]) -> str:
        role = create_role(
            name=given["name"],
            description=given["description"],
            names=given["perms"],
            rank=given["rank"],
            is_guest=given["rank"] == GUEST_RANK,
            by=person_of(request),
            at=timezone.now(),
        )
        return f"The role {role.name} is there. Give it to people on their pages."

    page = _page(title="New role", label="Make the role", text="You can give what you may do yourself.")
    return answer_form(request, form, page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.ROLES_MANAGE)
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change an own role."""
    role = get_object_or_404(Role, pk=pk, built_in=False, retired_at=None)
    initial = {"name": role.name, "description": role.description, "perms": sorted(role.held())}
    form = OwnRoleForm(sent(request), holder=holder_of(request), is_new=False, initial=initial)

    def do(given: dict[str, Any]) -> str:
        # What the one who edits does not hold is not offered, and stays as it is.
        kept = role.held() - holder_of(request).held
        change_role(
            role=role,
            name=given["name"],
            description=given["description"],
            names={*given["perms"], *kept},
            by=person_of(request),
            at=timezone.now(),
        )
        return f"The role {given['name']} is changed."

    page = _page(
        title=f"Edit the role {role.name}",
        label="Save the role",
        consequences=[
            f"{counted(_people(role), 'person has', 'people have')} it and will feel the change at once."
        ],
    )
    return answer_form(request, form, page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.ROLES_MANAGE)
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Delete an own role; who has it gets another one."""
    role = get_object_or_404(Role, pk=pk, built_in=False, retired_at=None)
    people = _people(role)
    form: InsteadForm | NoFields = NoFields(sent(request))
    if people:
        form = InsteadForm(sent(request), holder=holder_of(request), role=role)

    def do(given: dict[str, Any]) -> str:
        delete_role(role=role, instead=given.get("instead"), by=person_of(request), at=timezone.now())
        return f"The role {role.name} is deleted."

    page = _page(
        title=f"Delete the role {role.name}",
        label=f"Delete {role.name}",
        tone="danger",
        consequences=[
            f"{counted(people, 'person has', 'people have')} it now and will get another role, at once.",
            "That people had it stays in their history.",
        ],
    )
    return answer_form(request, form, page, do)


@require_http_methods(["GET", "POST"])
@requires(perms.SETTINGS_CHANGE)
def guests(request: HttpRequest) -> HttpResponse:
    """Set the most that guests may hold."""
    holder = holder_of(request)
    ceiling = frozenset(PermissionSettings.objects.values_list("guest_ceiling", flat=True).get())
    form = CeilingForm(sent(request), holder=holder, initial={"perms": sorted(ceiling)})

    def do(given: dict[str, Any]) -> str:
        kept = (ceiling & perms.every_name()) - holder.held
        set_guest_ceiling(names={*given["perms"], *kept}, by=person_of(request), at=timezone.now())
        return "Saved. It holds for every guest from now on."

    page = _page(
        title="What guests may at most",
        label="Save",
        text="Guests hold only what is shared with them, and never more than this.",
    )
    return answer_form(request, form, page, do)


def _people(role: Role) -> int:
    return Membership.objects.current(at=timezone.now()).filter(role=role).count()


def _page(**said: Any) -> FormPage:
    back = reverse("permissions:roles")
    return FormPage(back=back, crumbs=(("Roles", back),), **said)
