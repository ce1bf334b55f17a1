"""The whole demonstration: two organisers of concerts and a small society, on both shards."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision, sweep
from operations.demo import drawings, people
from operations.demo.life import Cast, live
from operations.demo.loading import Loader, load_organiser
from operations.demo.people import PASSWORD, OwnRole, Person, Share
from operations.demo.places import LITTLE_VENUES, NORTHLIGHT_VENUES, PULSE_VENUES, Venue
from tenants.context import Actor, control_plane, enter
from tenants.models import Organisation

OPERATOR = "operator@enclave.example"


@dataclass(frozen=True, slots=True)
class Show:
    """One organisation of the demonstration."""

    wish: Wish
    mark: str
    accent: str
    logo: Callable[[], bytes]
    zone: str
    people: tuple[Person, ...]
    shares: tuple[Share, ...]
    cast: Cast
    venues: tuple[Venue, ...]
    nights: int
    wristbands: int
    readings: int
    own_roles: tuple[OwnRole, ...] = ()


SHOWS = (
    Show(
        Wish("pulse", "Pulse Nights", "mira@pulse.example", "Mira Okafor", PASSWORD, shard="shard_1"),
        mark="P",
        accent="#5b3fd6",
        logo=drawings.pulse,
        zone="Europe/Berlin",
        people=people.PULSE_PEOPLE,
        own_roles=people.PULSE_ROLES,
        shares=people.PULSE_SHARES,
        cast=Cast("jonas@pulse.example", "luis@pulse.example", "aiko@pulse.example", "noor@pulse.example"),
        venues=PULSE_VENUES,
        nights=60,
        wristbands=4_000,
        readings=100_000,
    ),
    Show(
        Wish(
            "northlight",
            "Northlight",
            "sunniva@northlight.example",
            "Sunniva Lie",
            PASSWORD,
            # On the second server, where there is one.
            shard=settings.SHARD_ALIASES[-1],
        ),
        mark="N",
        accent="#0f766e",
        logo=drawings.northlight,
        zone="Europe/Oslo",
        people=people.NORTHLIGHT_PEOPLE,
        shares=people.NORTHLIGHT_SHARES,
        cast=Cast("ola@north.example", "freja@north.example", "freja@north.example", "kari@north.example"),
        venues=NORTHLIGHT_VENUES,
        nights=24,
        wristbands=1_500,
        readings=12_000,
    ),
    Show(
        Wish(
            "little-stage",
            "The Little Stage",
            "gwen@littlestage.example",
            "Gwen Pryce",
            PASSWORD,
            shard="shard_1",
        ),
        mark="LS",
        accent="#b45309",
        logo=drawings.little_stage,
        zone="Europe/London",
        people=people.LITTLE_PEOPLE,
        shares=people.LITTLE_SHARES,
        cast=Cast("gwen@littlestage.example", "tom@stage.example", "tom@stage.example", "nia@stage.example"),
        venues=LITTLE_VENUES,
        nights=4,
        wristbands=40,
        readings=3_000,
    ),
)


def is_loaded() -> bool:
    """Return whether all of the demonstration is there: the operator comes last."""
    with control_plane():
        return User.objects.filter(email=OPERATOR).exists()


def load(shows: Iterable[Show] = SHOWS) -> None:
    """Make the organisations and everything in them, and an operator; go on where it was interrupted."""
    # What an interrupted loading has half made cannot be told by its age: nobody else is here yet.
    sweep(at=timezone.now() + timedelta(hours=1))
    for seed, show in enumerate(shows, start=7):
        _load_show(show, seed=seed)
    with control_plane():
        User.objects.create_superuser(OPERATOR, "Operator", PASSWORD)


def _load_show(show: Show, *, seed: int) -> None:
    organisation = Organisation.objects.filter(slug=show.wish.slug).first() or provision(show.wish)
    with enter(organisation, actor=Actor.system("Demonstration")):
        owner = User.objects.filter(email=show.wish.owner_email).first()
    if owner is None:
        return  # somebody else has the address, and keeps it
    people.dress(
        organisation,
        owner,
        name=show.wish.name,
        mark=show.mark,
        accent=show.accent,
        zone=show.zone,
        logo=show.logo(),
    )
    people.bring(organisation, owner, show.people, show.own_roles)
    found = load_organiser(
        Loader(organisation, owner, seed=seed),
        show.venues,
        zone=show.zone,
        nights=show.nights,
        wristbands=show.wristbands,
        readings=show.readings,
    )
    people.share(organisation, owner, show.shares, found, zone=show.zone)
    live(
        organisation,
        found,
        owner=show.wish.owner_email,
        cast=show.cast,
        venue=show.venues[0],
    )
