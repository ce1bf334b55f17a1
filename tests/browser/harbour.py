"""An organisation that is there before anybody opens a browser: three people and a collection of airports."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from permissions.actions.memberships import assign_role
from permissions.models import Role
from records.actions import collections, records
from records.values import FieldSpec, FieldType
from tenants.context import Actor, enter
from tests.conftest import PASSWORD
from tests.people import make_person, signed_in

SLUG = "harbour"
OWNER, MEMBER, GUEST = "hanna@harbour.example", "milo@harbour.example", "gus@harbour.example"
_OTHERS = ((MEMBER, "Milo Berg", "member"), (GUEST, "Gus Ferry", "guest"))
CITIES = ("Bergen", "Lisbon", "Nantes", "Trieste")
# More than a page shows at once.
AIRPORTS = 120


@dataclass(frozen=True, slots=True)
class Harbour:
    """The organisation's address, and the cookie of each person who is signed in."""

    slug: str
    cookies: dict[str, str]


def make() -> Harbour:
    """Make it, and sign its people in."""
    organisation = provision(
        Wish(SLUG, "Harbour Air", OWNER, "Hanna Lund", PASSWORD, shard="shard_2"), at=timezone.now()
    )
    for email, name, _ in _OTHERS:
        make_person(organisation, email, name, password=PASSWORD)
    with enter(organisation, actor=Actor.system("cast")):
        owner = User.objects.get(email=OWNER)
        for email, _, role in _OTHERS:
            assign_role(
                user=User.objects.get(email=email),
                role=Role.objects.get(code=role),
                by=owner,
                at=timezone.now(),
            )
        _airports(owner)
    cookies = {
        email: signed_in(organisation, email).cookies[settings.SESSION_COOKIE_NAME].value
        for email in (OWNER, MEMBER, GUEST)
    }
    return Harbour(SLUG, cookies)


def _airports(owner: User) -> None:
    now = timezone.now()
    airports = collections.create(
        name="Airports",
        by=owner,
        at=now,
        fields=[
            FieldSpec("code", "Code", FieldType.TEXT, required=True),
            FieldSpec("city", "City", FieldType.TEXT),
            FieldSpec("runways", "Runways", FieldType.INTEGER),
            FieldSpec("opened", "Opened", FieldType.DATE),
        ],
    )
    for number in range(AIRPORTS):
        records.create(
            collection=airports,
            values={
                "code": f"AP{number:03}",
                "city": CITIES[number % len(CITIES)],
                "runways": number % 5 + 1,
                "opened": f"19{number % 90 + 10}-05-01",
            },
            by=owner,
            at=now,
        )
    plans = collections.create(
        name="Secret plans", by=owner, at=now, fields=[FieldSpec("plan", "Plan", FieldType.TEXT)]
    )
    records.create(collection=plans, values={"plan": "Buy the other airline"}, by=owner, at=now)
