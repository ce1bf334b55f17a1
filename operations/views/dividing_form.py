"""What becomes an organisation of its own: the form in which somebody chooses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.identity.models import User
from operations.forms import clean_slug
from operations.joining.picking import Picks
from permissions.models import Membership
from records.models import Collection

# What a job may be told (jobs.actions.enqueueing), in ids.
MOST_PICKED = 350
MOST_PEOPLE = 2_000
STAYS, GOES, BOTH = "stays", "goes", "both"
_WHERE = (
    (STAYS, gettext_lazy("Stays here")),
    (GOES, gettext_lazy("Goes")),
    (BOTH, gettext_lazy("Is in both")),
)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person of the organisation, and where they were put."""

    key: str
    name: str
    email: str
    role: str
    where: str

    @property
    def field(self) -> str:
        """Return the name of the field that says where."""
        return f"where-{self.key}"

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Return what can be chosen: value, word, whether it is chosen."""
        return [(value, str(word), value == self.where) for value, word in _WHERE]


class DivideForm(forms.Form):
    """Which collections go, who goes or is in both, and what the new organisation is called."""

    name = forms.CharField(label=gettext_lazy("Name of the new organisation"), max_length=120)
    slug = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=40,
        help_text=gettext_lazy("Small letters, digits and hyphens: pulse-north"),
        widget=forms.TextInput(attrs={"autocapitalize": "off", "spellcheck": "false"}),
    )
    collections = forms.MultipleChoiceField(
        label=gettext_lazy("Collections that go"),
        help_text=gettext_lazy(
            "With all that is in them: records, files, views, and what is shared of them."
        ),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    owner = forms.ChoiceField(
        label=gettext_lazy("First owner of the new one"),
        help_text=gettext_lazy("Somebody who goes or is in both."),
    )
    as_of = forms.DateField(
        label=gettext_lazy("Counts as of"),
        required=False,
        help_text=gettext_lazy(
            "Who goes counts as a member there, and no more here, from this day on. Empty: from now on."
        ),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("The operators read it, and it is kept in the trail."),
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, chosen: Mapping[str, str], initial: Mapping[str, Any]
    ) -> None:
        """`chosen` says where people were put before: key -> where."""
        super().__init__(data, initial=dict(initial))
        found = Collection.objects.live().order_by("name", "pk")
        self._field("collections").choices = [(str(one.pk), one.name) for one in found]
        roles = {
            one.user_id: one.role.name
            for one in Membership.objects.current(at=timezone.now()).select_related("role")
        }
        users = User.objects.filter(is_active=True, pk__in=roles).order_by("name", "email")[: MOST_PEOPLE + 1]
        self.people = [self._row(user, roles[user.pk], data, chosen) for user in users]
        self._field("owner").choices = [
            ("", _("Choose somebody")),
            *((row.key, f"{row.name} ({row.email})") for row in self.people),
        ]

    def _field(self, name: str) -> Any:
        return self.fields[name]

    @staticmethod
    def _row(user: User, role: str, data: Mapping[str, Any] | None, chosen: Mapping[str, str]) -> PersonRow:
        key = str(user.pk)
        said = chosen.get(key, STAYS) if data is None else str(data.get(f"where-{key}", STAYS))
        where = said if said in (GOES, BOTH) else STAYS
        return PersonRow(key, user.name, user.email, role, where)

    def clean_slug(self) -> str:
        """Return an address that an organisation can have."""
        return clean_slug(self.cleaned_data["slug"])

    def clean(self) -> dict[str, Any]:
        """Check that the first owner is somebody who is there, and that a job can be told all of it."""
        told: dict[str, Any] = super().clean() or {}
        there = {row.key for row in self.people if row.where != STAYS}
        if not there:
            self.add_error(
                None, _("Somebody has to go, or to be in both: the new organisation needs people.")
            )
        elif told.get("owner") and told["owner"] not in there:
            self.add_error("owner", _("Choose somebody who goes or is in both."))
        if len(there) + len(told.get("collections", [])) > MOST_PICKED:
            most = f"{MOST_PICKED:,}"
            self.add_error(
                None,
                _("Choose at most %(most)s people and collections, or ask the operators.") % {"most": most},
            )
        return told

    @property
    def picks(self) -> Picks:
        """Return what was chosen; the form is valid."""
        return Picks(
            owner=self.cleaned_data["owner"],
            collections=list(self.cleaned_data["collections"]),
            goes=[row.key for row in self.people if row.where == GOES],
            both=[row.key for row in self.people if row.where == BOTH],
        )

    def moment(self, *, at: datetime, begun: datetime) -> datetime:
        """Return from when on it counts: the beginning of the day, and not before the organisation began."""
        day = self.cleaned_data["as_of"]
        if day is None:
            return at
        begins = timezone.make_aware(datetime.combine(day, time.min))
        return begun if begins.date() == timezone.localdate(begun) else begins


def chosen_before(payload: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return where people were put, and the other fields, by an earlier choice that a job was told."""
    picks = Picks.read(payload["picks"])
    people = dict.fromkeys(picks.goes, GOES) | dict.fromkeys(picks.both, BOTH)
    day = (
        timezone.localdate(datetime.fromisoformat(payload["effective_at"])) if payload.get("dated") else None
    )
    fields = {key: payload[key] for key in ("name", "slug", "reason")}
    return people, {**fields, "collections": picks.collections, "owner": picks.owner, "as_of": day}


def named(picks: Picks) -> dict[str, list[str]]:
    """Return what was chosen by name, as far as it is there."""
    people = dict(User.objects.filter(pk__in=picks.people).values_list("pk", "name"))
    collections = dict(Collection.objects.filter(pk__in=picks.collections).values_list("pk", "name"))
    return {
        "collections": sorted(collections.values()),
        "goes": sorted(people[UUID(key)] for key in picks.goes if UUID(key) in people),
        "both": sorted(people[UUID(key)] for key in picks.both if UUID(key) in people),
        "owner": [people[UUID(picks.owner)]] if UUID(picks.owner) in people else [],
    }
