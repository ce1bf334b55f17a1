"""Leaving by oneself: a group, or the organisation."""

from typing import Any
from uuid import UUID

from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions.directory import note_person
from permissions.access import signed_in
from permissions.actions.groups import leave_group
from permissions.actions.memberships import end_membership
from permissions.forms import NoFields
from permissions.holder import holder_of
from permissions.models import GroupProfile
from permissions.views.answers import FormPage, answer_form, person_of, sent
from tenants.context import current_tenant
from tenants.refusals import Refusal


@require_http_methods(["GET", "POST"])
@signed_in
def leave_a_group(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leave a group; 404 for who is not in it, because they may not know of it."""
    found = get_object_or_404(GroupProfile.objects.select_related("group"), pk=pk)
    if found.group_id not in holder_of(request).groups:
        raise Http404

    def do(given: dict[str, Any]) -> str:
        leave_group(group=found, by=person_of(request), at=timezone.now())
        return f"You are no longer in {found.name}."

    back = reverse("accounts:account")
    page = FormPage(
        title=f"Leave the group {found.name}",
        label=f"Leave {found.name}",
        back=back,
        crumbs=(("Your account", back),),
        tone="danger",
        consequences=[
            "You lose what is shared with the group, at once, unless it comes in another way.",
            "Only somebody who manages groups can add you again.",
        ],
    )
    return answer_form(request, NoFields(sent(request)), page, do)


@require_http_methods(["GET", "POST"])
@signed_in
def leave(request: HttpRequest) -> HttpResponse:
    """Leave the organisation. The page after it is for everybody, because one is signed out by then."""
    name = current_tenant().name
    back = reverse("accounts:account")
    page = FormPage(
        title=f"Leave {name}",
        label=f"Leave {name}",
        back=back,
        crumbs=(("Your account", back),),
        tone="danger",
        consequences=[
            "You are signed out everywhere, at once, and cannot sign in.",
            "You leave your groups, and what is shared with you gives you nothing any more.",
            "What you made and did here stays, under your name.",
            "Only somebody who manages people can let you in again.",
        ],
    )
    form = NoFields(sent(request))
    if request.method == "POST" and form.is_valid():
        person = person_of(request)
        try:
            end_membership(user=person, by=person, at=timezone.now())
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            note_person(person)
            logout(request)
            return render(request, "permissions/left.html", {"name": name})
    return answer_form(request, form, page, lambda given: "")
