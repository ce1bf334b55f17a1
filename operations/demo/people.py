"""The people of the demonstration, their roles, their groups and what is shared with them."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
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
from permissions.actions.roles import create_role
from permissions.models import GroupProfile, Role
from permissions.models.roles import MEMBER_RANK
from records.models import Collection, Record
from tenants.context import Actor, enter
from tenants.models import Organisation

# Everybody's, in the demonstration only; printed by bin/up.
PASSWORD = "bass and treble 14"  # noqa: S105  # of invented people, on a machine that nobody else reaches


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in an organisation, in a role (a code, or the name of an own one), in groups."""

    name: str
    email: str
    role: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """A collection, or the one record of that name in it, shared with a group or a person for some days."""

    collection: str
    to: str
    names: tuple[str, ...]
    days: int | None = None
    record: str = ""


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A role that an organisation made for itself, on the rung of its members."""

    name: str
    about: str
    names: tuple[str, ...]


PULSE_PEOPLE = (
    Person("Jonas Weber", "jonas@pulse.example", "admin", ("Bookings",)),
    Person("Aiko Tanaka", "aiko@pulse.example", "Analyst", ("Analysts",)),
    Person("Luis Ferreira", "luis@pulse.example", "member", ("Door staff", "Bookings")),
    Person("Priya Raman", "priya@pulse.example", "member", ("Door staff",)),
    Person("Sam Byrne", "sam@byrne-photo.example", "guest", ("Photographers",)),
)
PULSE_ROLES = (
    OwnRole(
        "Analyst",
        "Looks at everything; changes what is shared for that.",
        ("people.view", "jobs.view", "records.view"),
    ),
)
PULSE_SHARES = (
    Share("events", "Photographers", ("records.view",), days=30),
    Share("venues", "sam@byrne-photo.example", ("records.view",), days=30),
    Share("wristbands", "Analysts", ("records.change",)),
)
NORTHLIGHT_PEOPLE = (
    Person("Mira Okafor", "mira@pulse.example", "member", ("Advisers",)),
    Person("Ola Nordmann", "ola@north.example", "admin", ("Festival office",)),
    Person("Freja Holm", "freja@north.example", "member", ("Festival office",)),
    Person("Lena Brandt", "lena@brandt-light.example", "guest"),
    Person("Nils Ager", "nils@ager-sound.example", "guest", ("Sound crew",)),
)
NORTHLIGHT_SHARES = (
    Share("venues", "lena@brandt-light.example", ("records.view",), days=14, record="Isfabrikken"),
    Share("events", "Sound crew", ("records.view",), days=45),
)
LITTLE_PEOPLE = (
    Person("Tom Pryce", "tom@stage.example", "member", ("Volunteers",)),
    Person("Owen Lloyd", "owen@stage.example", "guest", ("Volunteers",)),
)
LITTLE_SHARES = (Share("events", "Volunteers", ("records.view",)),)
ABOUT_GROUPS = {
    "Bookings": "Who books acts and rooms.",
    "Analysts": "Who reads what the wristbands say.",
    "Door staff": "Who hands out wristbands and counts.",
    "Photographers": "Who takes pictures of a night.",
    "Advisers": "Who helps from outside.",
    "Festival office": "Who plans the summer.",
    "Sound crew": "Who runs the desk, for a season.",
    "Volunteers": "Who sets up the chairs.",
}


def dress(
    organisation: Organisation, owner: User, *, name: str, mark: str, accent: str, zone: str, logo: bytes
) -> None:
    """Give an organisation its look."""
    with enter(organisation, actor=acting_as(owner)):
        look = Look(display_name=name, mark=mark, accent=Colour.parse(accent), time_zone=zone)
        profile.change(look=look, by=owner, at=timezone.now())
        profile.change_logo(content=logo, by=owner, at=timezone.now())
        note_person(owner)


def bring(
    organisation: Organisation, owner: User, people: tuple[Person, ...], own_roles: tuple[OwnRole, ...]
) -> None:
    """Add the people, and make the roles and groups they are in; all of them, or none."""
    with enter(organisation, actor=acting_as(owner)):
        if User.objects.filter(email=people[0].email).exists():
            return
        now = timezone.now()
        for one in own_roles:
            create_role(
                name=one.name, description=one.about, names=one.names, rank=MEMBER_RANK, by=owner, at=now
            )
        roles = {role.code if role.built_in else role.name: role for role in Role.objects.all()}
        made: dict[str, GroupProfile] = {}
        for person in people:
            user = add_person(email=person.email, name=person.name, at=now, password=PASSWORD)
            assign_role(user=user, role=roles[person.role], by=owner, at=now)
            note_person(user)
            for name in person.groups:
                if name not in made:
                    made[name] = groups.create_group(
                        name=name, description=ABOUT_GROUPS[name], by=owner, at=now
                    )
                groups.add_to_group(group=made[name], user=user, by=owner, at=now)


def share(
    organisation: Organisation,
    owner: User,
    shares: tuple[Share, ...],
    found: dict[str, Collection],
    *,
    zone: str,
) -> None:
    """Share collections with groups and persons, until the end of a day there."""
    with enter(organisation, actor=acting_as(owner)):
        now = timezone.now()
        for one in shares:
            to: User | GroupProfile
            if "@" in one.to:
                to = User.objects.get(email=one.to)
            else:
                to = GroupProfile.objects.get(group__name=one.to)
            until = _end_of_day(now, ZoneInfo(zone), one.days) if one.days else None
            obj: Collection | Record = found[one.collection]
            if one.record:
                obj = Record.objects.get(collection=found[one.collection], values__name=one.record)
            grants.grant(obj=obj, to=to, names=one.names, by=owner, at=now, ends_at=until)


def _end_of_day(now: datetime, zone: tzinfo, days: int) -> datetime:
    """Return the first moment after the day that is so many days away."""
    day = now.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), tzinfo=zone)


def acting_as(user: User) -> Actor:
    """Return a person as the one who acts."""
    return Actor(kind="person", id=user.pk, label=user.name, credential="demonstration")
