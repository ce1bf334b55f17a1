"""Forms of the public site and the console."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password

from tenants.models import Organisation, Release, ReleaseState, Shard
from tenants.names import checked_slug
from tenants.placement import Ring
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

    region = forms.ChoiceField(label="Where the data lies", required=False)

    def __init__(self, *args: Any, regions: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(regions) < 2:
            del self.fields["region"]
            return
        self.fields["region"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            ("", "Wherever there is room"),
            *((one, one) for one in regions),
        ]

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


class RingForm(ReasonForm):
    """When an organisation has its migrations, and why."""

    field_order = ("ring", "reason")
    ring = forms.ChoiceField(label="Ring", choices=[(ring.value, ring.value.capitalize()) for ring in Ring])


class RestoreForm(ReasonForm):
    """To which moment an organisation goes back, and why."""

    field_order = ("to", "reason")
    to = forms.DateTimeField(
        label="Back to (UTC)",
        help_text="For example 2026-01-31 12:00. Everything since is taken back.",
        widget=forms.DateTimeInput(attrs={"placeholder": "2026-01-31 12:00"}),
    )

    def __init__(self, *args: Any, spans: Sequence[tuple[datetime, datetime | None]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if spans:
            said = " and ".join(_span(begin, end) for begin, end in spans)
            self.fields["to"].help_text = f"Any moment {said}. What was done later is taken back."


def _span(begin: datetime, end: datetime | None) -> str:
    since = f"{begin:%Y-%m-%d %H:%M:%S}"
    return f"since {since}" if end is None else f"from {since} to {end:%Y-%m-%d %H:%M:%S}"


class ApproveForm(forms.Form):
    """The address of the organisation, typed by a second operator."""

    typed = forms.CharField(max_length=40, strip=True)

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["typed"].label = f"Type {slug} to say that you mean it"


class UndoRestoreForm(ReasonForm):
    """Why what was replaced is put back, and the address of the organisation."""

    field_order = ("reason", "typed")
    typed = forms.CharField(max_length=40, strip=True)

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["typed"].label = f"Type {slug} to say that you mean it"


class ErasureForm(ReasonForm):
    """When the data of who is gone is erased, and why."""

    field_order = ("when", "reason")
    IN_TIME, AT_ONCE = "in-time", "at-once"
    when = forms.ChoiceField(label="When")

    def __init__(self, *args: Any, day: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["when"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (self.IN_TIME, f"On {day:%d %b %Y}, 30 days after it became gone"),
            (self.AT_ONCE, "As soon as another operator approves it"),
        ]


class MergeForm(ReasonForm):
    """Of which organisation another one becomes a part, and why."""

    field_order = ("into", "reason")
    into = forms.CharField(
        label="Address of the other organisation",
        max_length=40,
        help_text=f"Of which it becomes a part: what stands before .{settings.BASE_DOMAIN}, such as pulse.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_into(self) -> Organisation:
        """Return the organisation at the address."""
        slug = self.cleaned_data["into"].strip().lower()
        organisation = Organisation.objects.filter(slug=slug).first()
        if organisation is None:
            raise forms.ValidationError(f"There is no organisation at the address {slug}.")
        return organisation


class UndoForm(ReasonForm):
    """Why a merge or a split is undone, and the address of the organisation that it was about."""

    field_order = ("reason", "typed")
    typed = forms.CharField(max_length=40, strip=True)

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slug = slug
        self.fields["typed"].label = f"Type {slug} to say that you mean it"

    def clean_typed(self) -> str:
        """Refuse another address."""
        typed: str = self.cleaned_data["typed"]
        if typed != self._slug:
            raise forms.ValidationError(f"This is not the address. Type {self._slug}.")
        return typed


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
        fields = ("region", "capacity", "reserved_for", "is_open")
        labels = {"is_open": "Takes new organisations"}
        help_texts = {"is_open": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = settings.SHARDS.get(self.instance.alias)
        for name in words.said() if words is not None else ():
            # `prepare` writes it again each time, so a change here would not last.
            self.fields[name].disabled = True
            self.fields[name].help_text = f"Set by {self.instance.alias.upper()}_{name.upper()}."


class ReleaseForm(forms.ModelForm[Release]):
    """What may be changed of a release, with the reason."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        min_length=8,
        help_text="Kept with the act, and shown to other operators.",
    )

    class Meta:
        model = Release
        fields = ("name", "state", "pool")

    def clean_state(self) -> str:
        """Refuse to withdraw a release while organisations are on it."""
        state: str = self.cleaned_data["state"]
        served = Organisation.objects.placed().filter(release=self.instance.pk or "").count()
        if state == ReleaseState.WITHDRAWN and served:
            are = "organisation is" if served == 1 else "organisations are"
            raise forms.ValidationError(f"{served} {are} on it. Choose another release for them first.")
        return state


class PlaceForm(ReasonForm):
    """Another release for an organisation."""

    field_order = ("release", "reason")
    release = forms.ChoiceField(label="Release")

    def __init__(self, *args: Any, releases: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["release"] = forms.ChoiceField(
            label="Release", choices=[(name, name) for name in releases]
        )


class NewOrganisationForm(ReasonForm):
    """An organisation made from the console."""

    field_order = ("name", "slug", "owner_name", "owner_email", "region", "customer", "shard", "reason")
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
    region = forms.ChoiceField(label="Region", required=False)
    customer = forms.ChoiceField(label="On the own server of", required=False)
    shard = forms.ChoiceField(label="Shard", required=False)

    def __init__(
        self, *args: Any, shards: list[str], regions: list[str], customers: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offered = {
            "region": ("Any", regions),
            "customer": ("Nobody: a server that all share", customers),
            "shard": ("Least loaded", shards),
        }
        for name, (nothing, choices) in offered.items():
            field = self.fields[name]
            field.choices = [("", nothing), *((one, one) for one in choices)]  # type: ignore[attr-defined]  # a ChoiceField
        if not customers:
            del self.fields["customer"]
        for name in ("region", "shard"):
            if len(offered[name][1]) < 2:
                del self.fields[name]

    def clean_slug(self) -> str:
        """Check the wished address."""
        return clean_slug(self.cleaned_data["slug"])
