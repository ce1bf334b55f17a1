"""Puts the demonstration's rows in through the product's own actions, in chunks of one transaction each.

Every step finds what an interrupted one has left, and goes on from there: what is made up depends on the
organisation alone, and not on the day or on the steps before.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain, islice
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.identity.models import User
from operations.demo import designs
from operations.demo.nights import Night, gig_days, make_nights, make_readings, make_wearers
from operations.demo.places import ARTISTS, Venue
from records.actions import collections, loading
from records.indexes.rules import plan
from records.models import Collection, Record
from records.values import FieldSpec, compile_validator, dumps
from tenants.context import Actor, enter
from tenants.models import Organisation

CHUNK = 5_000
# Evenings that are still to come: the next one is on sale, the others are planned.
COMING = 4
Values = Mapping[str, Any]


class Loader:
    """Loads one organiser: venues, nights, wristbands, readings."""

    def __init__(self, organisation: Organisation, owner: User, *, seed: int) -> None:
        self.organisation = organisation
        self.owner = owner
        self.actor = Actor(kind="person", id=owner.pk, label=owner.name, credential="demonstration")
        self.seed = seed

    def random(self, step: str) -> Random:
        """Return the source of chance of one step: the same each time."""
        return Random(f"{self.seed} {step}")

    def collection(
        self, name: str, icon: str, specs: tuple[FieldSpec, ...], about: str, *, newest_first: bool = False
    ) -> Collection:
        """Make one collection, or find it; records are named by their time where that says more."""
        title_key = "time" if newest_first else ""
        with enter(self.organisation, actor=self.actor):
            found = Collection.objects.filter(name=name).first()
            if found is not None:
                return found
            made = collections.create(
                name=name,
                icon=icon,
                fields=specs,
                description=about,
                title_key=title_key,
                by=self.owner,
                at=timezone.now(),
            )
            if newest_first:
                collections.change(collection=made, default_sort="-time", by=self.owner, at=timezone.now())
            return made

    def fill(self, collection: Collection, specs: tuple[FieldSpec, ...], rows: Iterable[Values]) -> int:
        """Check rows and copy in those that are not there; return how many there are now.

        A row that does not fit the design is a bug here.
        """
        validator = compile_validator(specs)
        with enter(self.organisation, actor=self.actor):
            total = Record.objects.filter(collection=collection).count()
        source = islice(rows, total, None)
        while chunk := [_checked(validator, row) for row in islice(source, CHUNK)]:
            with enter(self.organisation, actor=self.actor):
                total += loading.copy_in(
                    collection=collection, rows=chunk, import_id=None, by=self.owner.pk, at=timezone.now()
                )
        with enter(self.organisation, actor=self.actor):
            plan(collection)
        return total

    def ids(self, collection: Collection, key: str) -> dict[str, UUID]:
        """Return the records of a collection by the value of a field."""
        with enter(self.organisation, actor=self.actor):
            rows = Record.objects.filter(collection=collection).values_list("values", "pk")
            return {values[key]: pk for values, pk in rows}


def _checked(validator: Any, row: Values) -> bytes:
    clean, errors = validator.validate({key: value for key, value in row.items() if value not in ("", None)})
    if errors:
        raise ValueError(f"{row}: {errors}")
    return dumps(clean)


def load_organiser(
    loader: Loader, venues: tuple[Venue, ...], *, zone: str, nights: int, wristbands: int, readings: int
) -> dict[str, Collection]:
    """Load an organiser of concerts: `readings` readings over the last nights, and nights to come."""
    here = ZoneInfo(zone)
    days = gig_days(loader.organisation.created_at.astimezone(here).date(), past=nights, coming=COMING)
    made = make_nights(loader.random("nights"), venues=venues, artists=ARTISTS, days=days, zone=here)
    found: dict[str, Collection] = {}
    found["venues"] = _venues(loader, venues)
    found["events"] = _events(loader, found["venues"], made)
    found["wristbands"] = _wristbands(loader, wristbands)
    if readings:
        found["readings"] = _readings(loader, found, made[:-COMING], wristbands=wristbands, readings=readings)
    return found


def _venues(loader: Loader, venues: tuple[Venue, ...]) -> Collection:
    specs = designs.venues()
    made = loader.collection("Venues", "building-storefront", specs, "Where our nights happen.")
    loader.fill(made, specs, (_venue_row(venue) for venue in venues))
    return made


def _venue_row(venue: Venue) -> Values:
    return {
        "name": venue.name,
        "city": venue.city,
        "capacity": venue.capacity,
        "opened": venue.opened,
        "accessible": venue.accessible,
        "contact": venue.contact,
        "rent": venue.rent,
        "notes": "Zones: " + ", ".join(name for name, _ in venue.zones) + ".",
    }


def _events(loader: Loader, venues: Collection, nights: list[Night]) -> Collection:
    specs = designs.events(venues.pk, sorted({artist.style for artist in ARTISTS}))
    made = loader.collection("Events", "musical-note", specs, "Nights, with who played and how many came.")
    ids = loader.ids(venues, "name")
    past = (_event_row(night, ids) for night in nights[:-COMING])
    coming = (_coming_row(night, ids, place) for place, night in enumerate(nights[-COMING:]))
    loader.fill(made, specs, chain(past, coming))
    return made


def _coming_row(night: Night, venues: Mapping[str, UUID], place: int) -> Values:
    sold = night.tickets * 2 // 3 if place == 0 else None
    return {
        **_event_row(night, venues),
        "tickets": sold,
        "state": "planned" if sold is None else "on_sale",
    }


def _event_row(night: Night, venues: Mapping[str, UUID]) -> Values:
    slug = night.name.lower().replace(",", "").replace(" ", "-")
    return {
        "name": night.name,
        "venue": str(venues[night.venue.name]),
        "doors": night.doors.isoformat(),
        "headliner": night.acts[1].name,
        "styles": sorted({designs.code(act.style) for act in night.acts}),
        "tickets": night.tickets,
        "state": "sold_out" if night.sold_out else "over",
        "website": f"https://nights.example/{slug}",
    }


def _wristbands(loader: Loader, count: int) -> Collection:
    specs = designs.wristbands()
    made = loader.collection("Wristbands", "bolt", specs, "The wristbands we hand out at the door.")
    first = loader.organisation.created_at.date() - timedelta(days=500)
    random = loader.random("wristbands")
    rows = (
        {
            "number": _number(number),
            "model": "pro" if number % 5 == 0 else "lite",
            "issued": (first + timedelta(days=number % 400)).isoformat(),
            "battery": str(round(random.uniform(60, 100), 1)),
            "in_use": random.random() > 0.03,
        }
        for number in range(count)
    )
    loader.fill(made, specs, rows)
    return made


def _number(number: int) -> str:
    return f"WB-{10_000 + number * 7:05d}"


def _readings(
    loader: Loader, found: Mapping[str, Collection], nights: list[Night], *, wristbands: int, readings: int
) -> Collection:
    zones = sorted({name for night in nights for name, _ in night.venue.zones})
    specs = designs.readings(found["wristbands"].pk, found["events"].pk, zones)
    about = "How the crowd moved, from the wristbands that visitors wear."
    made = loader.collection("Crowd readings", "signal", specs, about, newest_first=True)
    bands, events = loader.ids(found["wristbands"], "number"), loader.ids(found["events"], "name")
    rows = _reading_rows(loader.random("readings"), nights, bands, events, worn=min(160, wristbands))
    loader.fill(made, specs, islice(rows, readings))
    return made


def _reading_rows(
    random: Random, nights: list[Night], bands: Mapping[str, UUID], events: Mapping[str, UUID], *, worn: int
) -> Iterator[Values]:
    for night in reversed(nights):
        wearers = make_wearers(random, night, random.sample(sorted(bands), worn))
        for reading in make_readings(random, night, wearers, every=timedelta(minutes=2)):
            yield {
                "wristband": str(bands[reading.wristband]),
                "event": str(events[night.name]),
                "zone": designs.code(reading.zone),
                "time": reading.at.isoformat(),
                "energy": reading.energy,
                "steps": reading.steps_per_minute,
                "signal": designs.code(reading.signal),
                "battery": str(reading.battery),
                "track": reading.track,
            }
