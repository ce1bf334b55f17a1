"""Inviting people, and the page behind the link."""

from datetime import datetime
from uuid import UUID

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import invitations
from accounts.adapters import say
from accounts.forms_organisation import AcceptForm, InviteForm
from accounts.identity.models import User
from accounts.models import Invitation
from accounts.refusals import HereAlready, InvitationSpent, OnlyForTheInvited
from permissions import perms
from permissions.access import note_refusal, public, requires
from permissions.holder import holder_of
from permissions.ladder import givable_roles
from permissions.models import GroupProfile
from tenants.refusals import Refusal


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_safe
@requires(perms.PEOPLE_MANAGE)
def waiting(request: HttpRequest) -> HttpResponse:
    """Show who was invited and has not come yet."""
    now = timezone.now()
    rows = list(Invitation.objects.waiting().select_related("role", "invited_by"))
    # One question for each pair of inviter and role, however many were invited.
    gives = {(row.invited_by_id, row.role_id): row for row in rows}
    dead = {key for key, row in gives.items() if not invitations.still_gives(row, at=now)}
    shown = [(row, _state(row, dead=(row.invited_by_id, row.role_id) in dead, at=now)) for row in rows]
    return render(request, "accounts/invitation_list.html", {"invitations": shown})


def _state(invitation: Invitation, *, dead: bool, at: datetime) -> tuple[str, str]:
    """Return what has become of an invitation, as a word and its tone."""
    if invitation.expires_at <= at:
        return _("Too old"), "warn"
    if dead:
        return _("Sender may not any more"), "warn"
    return _("Waiting"), "info"


@require_http_methods(["GET", "POST"])
@requires(perms.PEOPLE_MANAGE)
def invite(request: HttpRequest) -> HttpResponse:
    """Invite people."""
    holder = holder_of(request)
    groups = GroupProfile.objects.all() if holder.holds(perms.GROUPS_MANAGE) else GroupProfile.objects.none()
    form = InviteForm(request.POST or None, roles=givable_roles(holder), groups=groups)
    if request.method == "POST" and form.is_valid():
        try:
            sent = invitations.invite(
                emails=form.cleaned_data["emails"],
                role=form.cleaned_data["role"],
                groups=[group.pk for group in form.cleaned_data.get("groups") or ()],
                by=_user(request),
                at=timezone.now(),
            )
        except Refusal as refusal:
            note_refusal(request, refusal)
            form.add_error(None, str(refusal))
        else:
            text = ngettext("%(n)d person is invited.", "%(n)d people are invited.", len(sent))
            say(request, text % {"n": len(sent)})
            return redirect("accounts:invitations")
    return render(request, "accounts/invitation_new.html", {"form": form}, status=422 if form.errors else 200)


def _waiting_one(pk: UUID) -> Invitation:
    found = Invitation.objects.waiting().select_related("role", "invited_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_POST
@requires(perms.PEOPLE_MANAGE)
def resend(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send a new link."""
    invitation = _waiting_one(pk)
    invitations.resend(invitation=invitation, by=_user(request), at=timezone.now())
    say(request, _("A new link is on its way to %(email)s.") % {"email": invitation.email})
    return redirect("accounts:invitations")


@require_POST
@requires(perms.PEOPLE_MANAGE)
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take an invitation back."""
    invitation = _waiting_one(pk)
    invitations.revoke(invitation=invitation, by=_user(request), at=timezone.now())
    say(request, _("The invitation of %(email)s is taken back.") % {"email": invitation.email})
    return redirect("accounts:invitations")


@require_http_methods(["GET", "POST"])
@public
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Come in. Opening the link changes nothing, and shows nothing of anybody in the organisation."""
    now = timezone.now()
    user = request.user if isinstance(request.user, User) else None
    try:
        invitation = invitations.find(token=token, at=now)
        if user is not None and user.email != invitation.email:
            raise OnlyForTheInvited
    except (InvitationSpent, OnlyForTheInvited) as refusal:
        return _closed(request, refusal)
    form = AcceptForm(request.POST or None, email=invitation.email)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "email": invitation.email}
        return render(request, "accounts/invitation_accept.html", context, status=422 if form.errors else 200)
    try:
        person = invitations.accept(
            invitation=invitation,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            at=now,
            signed_in=user,
        )
    except (InvitationSpent, HereAlready) as refusal:
        return _closed(request, refusal)
    # Not simply signed in: who comes back may have a second step from before.
    response: HttpResponse = perform_login(request, Login(user=person, email=person.email))
    return response


def _closed(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return render(request, "accounts/invitation_closed.html", {"refusal": refusal}, status=refusal.status)
