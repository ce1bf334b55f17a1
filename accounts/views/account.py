"""One's own account: name, address, password, second step, sessions."""

from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions.people import rename, sign_out_everywhere, sign_out_session
from accounts.adapters import say
from accounts.devices import describe
from accounts.forms_organisation import NameForm
from accounts.identity.models import Session, User
from accounts.sessions import SessionStore
from audit.actions import events
from permissions.access import signed_in
from permissions.models import GroupMembership


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _own_session(request: HttpRequest) -> UUID | None:
    store: SessionStore = request.session  # type: ignore[assignment]  # set by our middleware
    return store.row.pk if store.row is not None else None


@require_http_methods(["GET", "POST"])
@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """Show everything about one's account; save the name."""
    user = _user(request)
    form = NameForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        rename(user=user, name=form.cleaned_data["name"])
        say(request, _("Your name is saved."))
        return redirect("accounts:account")
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    context = {
        "form": form,
        "has_app": Authenticator.Type.TOTP in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "has_password": user.has_usable_password(),
        "sessions": _sessions(request),
        "groups": _groups(request),
    }
    return render(request, "accounts/account.html", context, status=422 if form.errors else 200)


def _groups(request: HttpRequest) -> QuerySet[GroupMembership]:
    at = timezone.now()
    own = GroupMembership.objects.current(at=at).filter(user=_user(request))
    return own.select_related("group__profile").order_by("group__name")


def _sessions(request: HttpRequest) -> list[dict[str, object]]:
    own = _own_session(request)
    rows = Session.objects.of(_user(request).pk).alive(at=timezone.now()).order_by("-last_seen_at")
    return [
        {
            "pk": row.pk,
            "device": describe(row.agent),
            "agent": row.agent,
            "address": row.address,
            "seen_at": row.last_seen_at,
            "since": row.authenticated_at,
            "is_this": row.pk == own,
        }
        for row in rows
    ]


@require_POST
@signed_in
def end_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sign one of one's own browsers out."""
    user = _user(request)
    if pk == _own_session(request) or not sign_out_session(user=user, session_id=pk):
        raise Http404
    events.record("session.ended", target=user)
    say(request, _("Signed out there."))
    return redirect("accounts:account")


@require_POST
@signed_in
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign all others of one's own browsers out."""
    user = _user(request)
    ended = sign_out_everywhere(user=user, keep=_own_session(request))
    if ended:
        events.record("session.ended", target=user)
    say(
        request,
        ngettext("Signed out of %(n)d other browser.", "Signed out of %(n)d other browsers.", ended)
        % {"n": ended},
    )
    return redirect("accounts:account")
