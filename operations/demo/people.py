"""The people of the demonstration, their groups and what is shared with them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.actions import profile
from accounts.actions.directory import note_person
from accounts.actions.people import add_person
from accounts.actions.profile import Look
from accounts.identity.models import User
from config.ui.colour import Colour
from permissions.actions import grants, groups
from permissions.actions.memberships import assign_role
from permissions.models import GroupProfile, Role
from records.models import Collection
from tenants.context import Actor, enter
from tenants.models import Organisation

# Everybody's, in the demonstration only; printed by bin/up.
PASSWORD = "bass and treble 14"  # noqa: S105  # of invented people, on a machine that nobody else reaches


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in an organisation, in a role, in groups."""

    name: str
    email: str
    role: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """A collection shared with a group or a person, until some days from now."""

    collection: str
    to: str
    names: tuple[str, ...]
    days: int | None = None


PULSE_PEOPLE = (
    Person("Jonas Weber", "jonas@pulse.example", "admin", ("Bookings",)),
    Person("Aiko Tanaka", "aiko@pulse.example", "member", ("Analysts",)),
    Person("Luis Ferreira", "luis@pulse.example", "member", ("Door staff", "Bookings")),
    Person("Priya Raman", "priya@pulse.example", "member", ("Door staff",)),
    Person("Sam Byrne", "sam@byrne-photo.example", "guest", ("Photographers",)),
)
PULSE_SHARES = (
    Share("events", "Photographers", ("records.view",), days=30),
    Share("venues", "sam@byrne-photo.example", ("records.view",), days=30),
)
GROUPS = {
    "Advisers": "From outside, asked now and then",
    "Analysts": "Make sense of the readings",
    "Bookings": "Artists, venues and contracts",
    "Door staff": "At the doors, on the night",
    "Festival office": "Holds everything together",
    "Photographers": "Guests with a camera, for a season",
}
NORTHLIGHT_PEOPLE = (
    Person("Mira Okafor", "mira@pulse.example", "member", ("Advisers",)),
    Person("Ola Nordmann", "ola@north.example", "admin", ("Festival office",)),
    Person("Freja Holm", "freja@north.example", "member", ("Festival office",)),
)
NORTHLIGHT_SHARES: tuple[Share, ...] = ()
LITTLE_PEOPLE = (Person("Tom Pryce", "tom@stage.example", "member"),)


def dress(organisation: Organisation, owner: User, *, name: str, mark: str, accent: str, zone: str) -> None:
    """Give an organisation its look."""
    with enter(organisation, actor=_as(owner)):
        look = Look(display_name=name, mark=mark, accent=Colour.parse(accent), time_zone=zone)
        profile.change(look=look, by=owner, at=timezone.now())
        note_person(owner)


def bring(organisation: Organisation, owner: User, people: tuple[Person, ...]) -> None:
    """Add the people with their roles, and make the groups they are in; all of them, or none."""
    with enter(organisation, actor=_as(owner)):
        if User.objects.filter(email=people[0].email).exists():
            return
        now = timezone.now()
        roles = {role.code: role for role in Role.objects.all()}
        made: dict[str, GroupProfile] = {}
        for person in people:
            user = add_person(email=person.email, name=person.name, at=now, password=PASSWORD)
            assign_role(user=user, role=roles[person.role], by=owner, at=now)
            note_person(user)
            for name in person.groups:
                if name not in made:
                    made[name] = groups.create_group(
                        name=name, description=GROUPS.get(name, ""), by=owner, at=now
                    )
                groups.add_to_group(group=made[name], user=user, by=owner, at=now)


def share(
    organisation: Organisation, owner: User, shares: tuple[Share, ...], found: dict[str, Collection]
) -> None:
    """Share collections with groups and persons."""
    with enter(organisation, actor=_as(owner)):
        now = timezone.now()
        for one in shares:
            to: User | GroupProfile
            if "@" in one.to:
                to = User.objects.get(email=one.to)
            else:
                to = GroupProfile.objects.get(group__name=one.to)
            until = _after_day(now + timedelta(days=one.days)) if one.days else None
            grants.grant(obj=found[one.collection], to=to, names=one.names, by=owner, at=now, ends_at=until)


def _after_day(moment: datetime) -> datetime:
    """Return the first moment after a day, as the organisation's clocks have it."""
    local = moment.astimezone(ZoneInfo(profile.load().time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _as(owner: User) -> Actor:
    return Actor(kind="person", id=owner.pk, label=owner.name, credential="demonstration")
