"""Forms of the pages about people, groups, roles and sharing. The rules stand in the actions."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.identity.models import User
from permissions import perms
from permissions.holder import Holder, members
from permissions.ladder import givable_roles
from permissions.models import GroupProfile, Role
from permissions.models.roles import ADMIN_RANK, GUEST_RANK, MEMBER_RANK

RUNGS = (
    (MEMBER_RANK, "Members"),
    (ADMIN_RANK, "Admins"),
    (GUEST_RANK, "Guests: held under what guests may do at most"),
)


def _day(label: str, help_text: str) -> forms.DateField:
    # Browsers take no other format, whatever the language.
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=help_text, required=False, widget=widget)


def beginning_of(day: date | None) -> datetime | None:
    """Return the first moment of a day, in the organisation's time zone."""
    return timezone.make_aware(datetime.combine(day, time())) if day else None


def end_of(day: date | None) -> datetime | None:
    """Return the first moment after a last day."""
    return beginning_of(day + timedelta(days=1)) if day else None


class NoFields(forms.Form):
    """A question that is answered by sending it."""


class RoleForm(forms.Form):
    """Which role a person gets, of those that the one who asks may give."""

    # Nothing is chosen to begin with: the first of the list is the highest.
    role = forms.ModelChoiceField(Role.objects.none(), empty_label="Choose a role")

    def __init__(self, *args: Any, holder: Holder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        givable = [role.pk for role in givable_roles(holder)]
        self._field("role").queryset = Role.objects.filter(pk__in=givable).order_by("-rank", "name")

    def _field(self, name: str) -> Any:
        return self.fields[name]


class GroupForm(forms.Form):
    """Name and description of a group."""

    name = forms.CharField(max_length=150)
    description = forms.CharField(max_length=300, required=False)


class GroupPersonForm(forms.Form):
    """A person for a group, with the period."""

    person = forms.ModelChoiceField(User.objects.none(), empty_label="Choose a person")
    starts = _day("From", "Empty: from now on.")
    ends = _day("Last day", "Empty: without end.")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["person"]
        field.queryset = members(at=at)


class PersonGroupForm(forms.Form):
    """A group for a person, with the period."""

    group = forms.ModelChoiceField(GroupProfile.objects.none(), empty_label="Choose a group")
    starts = _day("From", "Empty: from now on.")
    ends = _day("Last day", "Empty: without end.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["group"]
        field.queryset = GroupProfile.objects.select_related("group")


DAY, NOW, NEVER = "day", "now", "never"


class LastDayForm(forms.Form):
    """When something ends: after a day, at once, or (where that can be) never."""

    when = forms.ChoiceField(label="When", choices=(), initial=DAY, widget=forms.RadioSelect)
    ends = _day("Last day", "They have it until the end of this day.")

    def __init__(self, *args: Any, may_stay: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["when"]
        field.choices = [(DAY, "After a last day"), (NOW, "At once")]
        if may_stay:
            field.choices = [*field.choices, (NEVER, "No last day: they stay")]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("when") == DAY and not cleaned.get("ends") and "ends" not in self.errors:
            self.add_error("ends", "Choose the last day.")
        return cleaned

    def until(self) -> datetime | None:
        """Return the moment after the last day, or None for at once."""
        return end_of(self.cleaned_data["ends"]) if self.cleaned_data["when"] == DAY else None

    def never(self) -> bool:
        """Return whether it shall not end."""
        return bool(self.cleaned_data["when"] == NEVER)


class OwnRoleForm(forms.Form):
    """An own role: its name, its rung and what it holds."""

    name = forms.CharField(max_length=60)
    description = forms.CharField(max_length=300, required=False)
    rank = forms.TypedChoiceField(
        label="Stands beside",
        coerce=int,
        choices=RUNGS,
        initial=MEMBER_RANK,
        widget=forms.RadioSelect,
        help_text="Who manages people may edit those beside and below themself.",
    )
    perms = forms.MultipleChoiceField(
        label="May", required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )

    def __init__(self, *args: Any, holder: Holder, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_new:
            field: Any = self.fields["rank"]
            field.choices = [rung for rung in RUNGS if rung[0] <= holder.rank]
        else:
            del self.fields["rank"]
        _offer(self.fields["perms"], holder.held)


class CeilingForm(forms.Form):
    """The most that guests may hold."""

    perms = forms.MultipleChoiceField(
        label="Guests may at most", required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )

    def __init__(self, *args: Any, holder: Holder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["perms"], holder.held)


class InsteadForm(forms.Form):
    """Which role people get when theirs is deleted."""

    instead = forms.ModelChoiceField(
        Role.objects.none(), label="They get instead", empty_label="Choose a role"
    )

    def __init__(self, *args: Any, holder: Holder, role: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        givable = [one.pk for one in givable_roles(holder) if one.pk != role.pk]
        field: Any = self.fields["instead"]
        field.queryset = Role.objects.filter(pk__in=givable).order_by("-rank", "name")


class ShareForm(forms.Form):
    """With whom something is shared, what they may do, and until when."""

    to = forms.ChoiceField(label="Person or group", choices=())
    perms = forms.MultipleChoiceField(label="They may", widget=forms.CheckboxSelectMultiple, choices=())
    ends = _day("Last day", "Empty: without end.")

    def __init__(self, *args: Any, held: frozenset[str], holder: Holder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        profiles, listed = GroupProfile.objects.select_related("group"), members(at=holder.at)
        if not holder.holds(perms.PEOPLE_VIEW):
            # A guest who may share does not learn from it who else is here.
            profiles, listed = profiles.filter(group_id__in=sorted(holder.groups)), listed.none()
            self.fields["to"].help_text = "You can share with the groups that you are in."
        groups = [(f"group:{profile.pk}", profile.group.name) for profile in profiles]
        people = [(f"person:{person.pk}", f"{person.name} ({person.email})") for person in listed]
        choices: Any = self.fields["to"]
        choices.choices = [("", "Choose"), ("Groups", groups), ("People", people)]
        _offer(self.fields["perms"], held)

    def holder(self) -> User | GroupProfile:
        """Return who was chosen. Raises DoesNotExist if they are gone meanwhile."""
        return holder_named(self.cleaned_data["to"])


def holder_named(name: str) -> User | GroupProfile:
    """Return the person or group behind `person:…` or `group:…`. Raises DoesNotExist or ValueError."""
    kind, _, key = name.partition(":")
    if kind == "group":
        return GroupProfile.objects.select_related("group").get(pk=key)
    if kind == "person":
        return User.objects.get(pk=key)
    raise ValueError(name)


def name_of(to: User | Group | GroupProfile) -> str:
    """Return the name of a holder of grants as `holder_named` takes it."""
    if isinstance(to, User):
        return f"person:{to.pk}"
    profile = to if isinstance(to, GroupProfile) else GroupProfile.objects.get(group=to)
    return f"group:{profile.pk}"


def _offer(field: Any, names: Iterable[str]) -> None:
    """Offer permissions as boxes, in the order of the vocabulary."""
    wanted = frozenset(names)
    field.choices = [(perm.name, perm.label) for perm in perms.every() if perm.name in wanted]
