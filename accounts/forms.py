"""Forms of sign-in and of the own account: allauth's, in our words."""

from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa import signals as mfa_signals
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.actions.resets import request_reset
from accounts.second_step import use_code


def say(form: forms.Form, **labels: Any) -> None:
    """Give fields our labels, and take the placeholders out: the label above says the same and stays."""
    for name, field in form.fields.items():
        field.widget.attrs.pop("placeholder", None)
        if name in labels:
            field.label = labels[name]
        if name == "password1":
            field.help_text = _("At least 12 characters.")


class SignInForm(account_forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    """Address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, login=_("E-mail address"), remember=_("Stay signed in on this device"))
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"
        # Who comes over from another organisation does not type their address again.
        address = self.request.GET.get("address", "")[:254] if self.request else ""
        self.fields["login"].initial = address
        if address:
            self.fields["password"].widget.attrs["autofocus"] = True
        self.fields["password"].help_text = ""


class ResetForm(account_forms.ResetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """The address that a link is sent to, if somebody here has it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, email=_("E-mail address"))

    def clean_email(self) -> str:
        """Return the address without looking for it: the job does, out of sight and out of time."""
        return str(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        request_reset(email=email)
        return email


class NewPasswordForm(account_forms.ResetPasswordKeyForm):  # type: ignore[misc]  # allauth has no types
    """The new password, behind the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, password1=_("New password"), password2=_("The same again"))


class ChangePasswordForm(account_forms.ChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    """The old password and a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(
            self,
            oldpassword=_("Current password"),
            password1=_("New password"),
            password2=_("The same again"),
        )


class SetPasswordForm(account_forms.SetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """A first password, for who has signed in without one so far."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, password1=_("New password"), password2=_("The same again"))


class ReauthenticateForm(account_forms.ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The password, asked again before something that cannot be taken back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, password=_("Password"))


class AddressForm(account_forms.AddEmailForm):  # type: ignore[misc]  # allauth has no types
    """A new address, which counts once its owner has followed the link sent to it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, email=_("New e-mail address"))


class _OneUse:
    """Checks a code so that it opens once, in the database rather than in a cache."""

    user: Any
    authenticator: Authenticator
    cleaned_data: dict[str, Any]
    reauthentication = False
    request: HttpRequest | None = None

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        found = use_code(user=self.user, code=code)
        if found is None:
            main = Authenticator.objects.filter(user=self.user, type=Authenticator.Type.TOTP).first()
            mfa_signals.authentication_failed.send(
                sender=Authenticator,
                request=None,
                user=self.user,
                authenticator=main,
                reauthentication=self.reauthentication,
            )
            raise get_mfa_adapter().validation_error("incorrect_code")
        self.authenticator = found
        return code


class SecondStepForm(_OneUse, mfa_forms.AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The code of the app, or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, code=_("Code from your app, or a recovery code"))


class SecondStepAgainForm(_OneUse, mfa_forms.ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The same, asked again before something that cannot be taken back."""

    reauthentication = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, code=_("Code from your app, or a recovery code"))


class EnrolForm(totp_forms.ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """The first code of a new app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, code=_("Code from the app"))


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """A new passkey and what to call it. Every passkey of ours can sign in by itself."""

    passwordless = forms.BooleanField(required=False, initial=True, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say(self, name=_("Name of this passkey"))
