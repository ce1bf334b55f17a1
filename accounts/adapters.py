"""What allauth asks us: who may sign up, how mails leave, where links lead, how secrets are kept."""

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import mails
from accounts.devices import describe
from accounts.identity.models import User
from accounts.keys import seal, unseal
from accounts.links import absolute, bind, is_path_here, own_host
from accounts.sessions import SessionStore
from audit import denials
from permissions.holder import load
from tenants.context import Plane, required

# Messages of allauth that say what the page shows anyway.
_SILENT = frozenset(
    {
        "account/messages/logged_in.txt",
        "account/messages/logged_out.txt",
        "mfa/messages/recovery_codes_generated.txt",
    }
)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in inside one organisation, or at the operators' console."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("This address and this password do not match."),
        "too_many_login_attempts": _("Too many tries. Wait a few minutes and try again."),
        "email_taken": _("Somebody here has this address already."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account here by themselves: people are invited, operators are made by hand."""
        return False

    def is_safe_url(self, url: str) -> bool:
        return is_path_here(url)

    def get_client_ip(self, request: HttpRequest) -> str:
        return cast(str, getattr(request, "source", "")) or "0.0.0.0"  # noqa: S104  # shown in mails, not bound to

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A sign-in of the last five minutes is proof enough."""
        store: SessionStore = allauth_context.request.session
        signed_in = store.row.authenticated_at if store.row is not None else None
        if (
            signed_in
            and (timezone.now() - signed_in).total_seconds() < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        ):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        if message_template in _SILENT:
            return
        super().add_message(request, level, message_template, message_context, extra_tags, message)

    def get_login_stages(self) -> list[str]:
        """Operators are made by hand: their addresses are not verified by a mail of ours."""
        stages: list[str] = super().get_login_stages()
        if required().plane is Plane.CONTROL:
            return [stage for stage in stages if not stage.endswith("EmailVerificationStage")]
        return stages

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Turn away who is deactivated, and who does not belong to the organisation (any more)."""
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if (
            answer is None
            and required().plane is Plane.TENANT
            and not load(user, at=timezone.now()).is_member
        ):
            clear_login(request)
            return cast(HttpResponse, self.respond_user_inactive(request, user))
        return answer

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Remember the failure; it is written when the request's transaction has ended."""
        if required().plane is Plane.TENANT:
            denials.collect("sign_in.failed", personal={"address": credentials.get("email", "")})

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Tell people about changes of their account; operators see their own in the console."""
        if required().plane is Plane.TENANT:
            super().send_notification_mail(*args, **kwargs)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return absolute(reverse("account_confirm_email", args=[bind(emailconfirmation.key)]))

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("account_email" if self.request.user.is_authenticated else "account_login")

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand one mail to the jobs, to exactly one address."""
        organisation = required().organisation
        mails.send(
            to=email,
            template=template_prefix,
            context={
                **context,
                "email": email,
                "whose": organisation.name if organisation else "Enclave operators",
                "site": absolute("/"),
            },
        )

    def set_password(self, user: User, password: str) -> None:
        """Set the password, writing only the column; every other session ends with the old one."""
        user.set_password(password)
        user.save(update_fields=["password"])


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """TOTP, recovery codes and passkeys; their secrets are stored encrypted."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """Call a passkey after the browser it is made in, until its owner calls it something else."""
        return describe(allauth_context.request.META.get("HTTP_USER_AGENT", ""))

    def get_totp_issuer(self) -> str:
        return self._get_site_name()

    def _get_site_name(self) -> str:
        organisation = required().organisation
        return organisation.name if organisation else "Enclave operators"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the organisation's primary host, which a second domain does not change."""
        return {"id": own_host(), "name": self._get_site_name()}


def say(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Show a sentence on the next page, with a way back if there is one."""
    messages.success(request, text, extra_tags=f"undo:{undo}" if undo else "")
