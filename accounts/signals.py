"""What Django and allauth tell us about sign-in, and what we do with it: one action or one event each."""

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth_signals
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.actions.directory import note_person
from accounts.actions.people import sign_out_everywhere
from accounts.identity.models import User
from accounts.middleware.people import actor_for
from accounts.middleware.renewal import renew_after
from audit import denials
from audit.actions import events
from tenants.context import Plane, become, current

_KINDS = {"totp": "an app", "webauthn": "a passkey", "recovery_codes": "recovery codes"}


def _in_organisation() -> bool:
    """The trail is an organisation's; what operators do is written down by their own room."""
    context = current()
    return context is not None and context.plane is Plane.TENANT


@receiver(auth_signals.user_logged_in)
def signed_in(sender: Any, request: HttpRequest, user: User, **more: Any) -> None:
    """From here on the request acts as the person."""
    become(actor_for(user, request.session.row))  # type: ignore[attr-defined]  # our store
    if _in_organisation():
        records = request.session.get("account_authentication_methods", [])
        how = [str(record.get("type") or record.get("method")) for record in records]
        events.record("sign_in.done", target=user, details={"how": how})


@receiver(auth_signals.user_logged_out)
def signed_out(sender: Any, request: HttpRequest, user: User | None, **more: Any) -> None:
    if user is not None and _in_organisation():
        events.record("sign_in.ended", target=user)


@receiver(account_signals.authentication_step_completed)
def stepped_up(sender: Any, request: HttpRequest, reauthenticated: bool = False, **more: Any) -> None:
    """Who has proved themself again goes on with a new token."""
    if reauthenticated:
        renew_after(request)


@receiver(mfa_signals.authentication_failed)
def second_step_failed(sender: Any, user: User, **more: Any) -> None:
    if _in_organisation():
        denials.collect("sign_in.step_failed", target=user)


@receiver(mfa_signals.authenticator_used)
def code_used(sender: Any, user: User, authenticator: Authenticator, **more: Any) -> None:
    if _in_organisation() and authenticator.type == Authenticator.Type.RECOVERY_CODES:
        events.record("second_step.recovery_code_used", target=user)


@receiver(mfa_signals.authenticator_added)
def step_added(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **more: Any
) -> None:
    _step("second_step.added", request, user, authenticator)


@receiver(mfa_signals.authenticator_removed)
def step_removed(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **more: Any
) -> None:
    _step("second_step.removed", request, user, authenticator)


@receiver(mfa_signals.authenticator_reset)
def step_reset(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **more: Any
) -> None:
    _step("second_step.added", request, user, authenticator)


def _step(code: str, request: HttpRequest, user: User, authenticator: Authenticator) -> None:
    """Sessions begun with less than what is asked for now end, but the one that changed it."""
    _end_others(request, user)
    if _in_organisation():
        events.record(code, target=user, details={"kind": _KINDS.get(authenticator.type, authenticator.type)})


@receiver(account_signals.password_changed)
@receiver(account_signals.password_set)
@receiver(account_signals.password_reset)
def password_changed(sender: Any, request: HttpRequest, user: User, **more: Any) -> None:
    _end_others(request, user)
    if _in_organisation():
        events.record("password.changed", target=user)


@receiver(account_signals.email_confirmed)
def address_confirmed(sender: Any, email_address: EmailAddress, **more: Any) -> None:
    if _in_organisation():
        note_person(email_address.user)


@receiver(account_signals.email_changed)
def address_changed(sender: Any, user: User, **more: Any) -> None:
    if _in_organisation():
        note_person(user)
        events.record("address.changed", target=user)


def _end_others(request: HttpRequest, user: User) -> None:
    row = request.session.row  # type: ignore[attr-defined]  # our store
    own = row.pk if row is not None and row.user_id == user.pk else None
    sign_out_everywhere(user=user, keep=own)
