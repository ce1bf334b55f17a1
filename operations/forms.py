"""Forms of the public site and the console."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password

from tenants.models import Shard
from tenants.names import checked_slug
from tenants.refusals import Refusal


def clean_slug(value: str) -> str:
    """Return a usable slug; raise ValidationError with the reason."""
    try:
        return checked_slug(value.strip().lower())
    except Refusal as refusal:
        raise forms.ValidationError(str(refusal)) from refusal


class SignUpForm(forms.Form):
    """What somebody tells us who wants an organisation."""

    organisation_name = forms.CharField(label="Name of the organisation", max_length=120)
    slug = forms.CharField(
        label="Address",
        max_length=40,
        help_text="Lower-case letters, digits and hyphens. People open it in the browser.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    person_name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        help_text="We send a link there. Nothing is made before you open it.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_slug(self) -> str:
        """Check the wished address."""
        return clean_slug(self.cleaned_data["slug"])


class ConfirmForm(forms.Form):
    """The last step: a password, and another address if the wished one was taken meanwhile."""

    slug = forms.CharField(label="Address", max_length=40)
    password = forms.CharField(
        label="Password",
        help_text="At least 12 characters. A sentence is fine.",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_slug(self) -> str:
        """Check the wished address."""
        return clean_slug(self.cleaned_data["slug"])

    def clean_password(self) -> str:
        """Check the password against the rules that hold everywhere."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class ReasonForm(forms.Form):
    """The reason that every act of an operator needs."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        min_length=8,
        help_text="Kept with the act, and shown to other operators.",
    )


class StateForm(ReasonForm):
    """The reason for another state and, where it cannot be taken back, the organisation's address."""

    def __init__(self, *args: Any, named: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._named = named
        if named is not None:
            self.fields["named"] = forms.CharField(
                label=f"Type {named} to say that you mean it", max_length=40, strip=True
            )

    def clean(self) -> dict[str, Any]:
        """Refuse another address than the organisation's."""
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if self._named is not None and "named" in told and told["named"] != self._named:
            self.add_error("named", f"This is not the address. Type {self._named}.")
        return told


class MoveForm(ReasonForm):
    """Where an organisation shall live, and why."""

    field_order = ("target", "reason")

    def __init__(self, *args: Any, shards: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"] = forms.ChoiceField(label="Move to", choices=[(name, name) for name in shards])
        self.order_fields(self.field_order)


class ShardForm(forms.ModelForm[Shard]):
    """What may be changed of a shard, with the reason."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        min_length=8,
        help_text="Kept with the act, and shown to other operators.",
    )

    class Meta:
        model = Shard
        fields = ("region", "capacity", "is_open")
        labels = {"is_open": "Takes new organisations"}
        help_texts = {"is_open": ""}


class NewOrganisationForm(ReasonForm):
    """An organisation made from the console."""

    field_order = ("name", "slug", "owner_name", "owner_email", "shard", "reason")
    name = forms.CharField(label="Name", max_length=120)
    slug = forms.CharField(
        label="Address",
        max_length=40,
        help_text=f"Lower-case letters, digits and hyphens; it answers under {settings.BASE_DOMAIN}.",
    )
    owner_name = forms.CharField(label="Name of the first owner", max_length=120)
    owner_email = forms.EmailField(
        label="E-mail address of the first owner",
        max_length=254,
        help_text="A link to choose a password is sent there.",
    )
    shard = forms.ChoiceField(label="Shard", required=False)

    def __init__(self, *args: Any, shards: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shard"] = forms.ChoiceField(
            label="Shard", required=False, choices=[("", "Least loaded"), *((name, name) for name in shards)]
        )

    def clean_slug(self) -> str:
        """Check the wished address."""
        return clean_slug(self.cleaned_data["slug"])
