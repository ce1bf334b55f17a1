"""Forms about the organisation's people and look."""

import re
import zoneinfo
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import User
from accounts.models import OrganisationProfile
from config.ui.colour import Colour, NotAColour
from permissions.models import GroupProfile, Role

_SEPARATORS = re.compile(r"[\s,;]+")
# So many addresses at once; each is a mail.
MOST_INVITED = 100


class InviteForm(forms.Form):
    """Addresses, a role and groups."""

    emails = forms.CharField(
        label=_("E-mail addresses"),
        widget=forms.Textarea(
            attrs={"rows": 4, "data-invite": "", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_("Several at once: one a line, or with commas between."),
        max_length=20_000,
    )
    role = forms.ModelChoiceField(queryset=Role.objects.none(), label=_("Role"), empty_label=None)
    groups = forms.ModelMultipleChoiceField(
        queryset=GroupProfile.objects.none(),
        label=_("Groups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They are in these groups from the day they join."),
    )

    def __init__(self, *args: Any, roles: list[Role], groups: QuerySet[GroupProfile], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role: Any = self.fields["role"]
        role.queryset = Role.objects.filter(pk__in=[one.pk for one in roles]).by_rank()
        role.label_from_instance = lambda one: one.name
        role.initial = next((one.pk for one in roles if one.code == "member"), None)
        if groups.exists():
            field: Any = self.fields["groups"]
            field.queryset = groups.select_related("group")
        else:
            del self.fields["groups"]

    def clean_emails(self) -> list[str]:
        """Return the addresses; say which of them is none."""
        found = [part for part in _SEPARATORS.split(self.cleaned_data["emails"]) if part]
        if len(found) > MOST_INVITED:
            raise forms.ValidationError(_("Invite at most 100 people at once."))
        wrong = [part for part in found if not _is_address(part)]
        if wrong:
            raise forms.ValidationError(
                _("Not an e-mail address: %(what)s"), params={"what": ", ".join(wrong[:5])}
            )
        return found


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except forms.ValidationError:
        return False
    return True


class AcceptForm(forms.Form):
    """What somebody who was invited says about themself."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters."),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_name(self) -> str:
        """Return the name on one line."""
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password"):
            try:
                validate_password(cleaned["password"], User(email=self.email, name=cleaned.get("name", "")))
            except forms.ValidationError as problem:
                self.add_error("password", problem)
        return cleaned


class NameForm(forms.ModelForm[User]):
    """What one is called."""

    class Meta:
        model = User
        fields = ("name",)
        labels = {"name": _("Name")}

    def clean_name(self) -> str:
        """Return the name on one line."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name:
            raise forms.ValidationError(_("Write your name."))
        return name


class ProfileForm(forms.Form):
    """The organisation's name, mark, colour and time zone."""

    display_name = forms.CharField(label=_("Name"), max_length=120)
    mark = forms.CharField(
        label=_("Mark"),
        max_length=2,
        required=False,
        help_text=_("One or two letters, shown where there is no logo."),
    )
    accent = forms.CharField(
        label=_("Colour"),
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("Where something can be clicked. It is darkened or lightened until it can be read."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())],
    )

    @classmethod
    def of(cls, profile: OrganisationProfile, name: str, data: Any = None) -> "ProfileForm":
        """Return the form with what is there."""
        return cls(
            data,
            initial={
                "display_name": profile.display_name or name,
                "mark": profile.mark,
                "accent": profile.accent,
                "time_zone": profile.time_zone,
            },
        )

    def clean_accent(self) -> Colour:
        """Return the colour, parsed: nothing else of what was typed reaches a stylesheet."""
        try:
            return Colour.parse(str(self.cleaned_data["accent"]).strip())
        except NotAColour as problem:
            raise forms.ValidationError(str(problem)) from problem


class LogoForm(forms.Form):
    """A logo."""

    logo = forms.FileField(
        label=_("Image"),
        help_text=_("PNG, JPEG or WebP, at most 5 MB. It is drawn anew, at most 512 pixels wide."),
        widget=forms.ClearableFileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
