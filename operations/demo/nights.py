"""Nights of music: how a crowd with wristbands moves, minute by minute. Same seed, same nights.

A night has an opening act and a main act; each plays its tracks. The crowd arrives, warms up, follows
the energy of the track that is playing, drifts to the bar between sets, tires and goes home. A person
has a temperament of their own and a place they like.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from random import Random

from operations.demo.places import Artist, Track, Venue

_DOORS = time(19, 30)
_FRIDAY, _SATURDAY = 4, 5
_TRACK_MINUTES = 6
_PAUSE_MINUTES = 25


@dataclass(frozen=True, slots=True)
class Night:
    """One event: where, when, who plays, and who is there."""

    name: str
    venue: Venue
    doors: datetime
    acts: tuple[Artist, Artist]
    tickets: int
    sold_out: bool
    programme: tuple[tuple[datetime, Artist, Track], ...]

    @property
    def ends(self) -> datetime:
        """Return when the last track is over."""
        return self.programme[-1][0] + timedelta(minutes=_TRACK_MINUTES)

    def playing_at(self, moment: datetime) -> Track | None:
        """Return the track that plays at a moment; None before the music and between the acts."""
        for begins, _, track in self.programme:
            if begins <= moment < begins + timedelta(minutes=_TRACK_MINUTES):
                return track
        return None


@dataclass(frozen=True, slots=True)
class Wearer:
    """Somebody with a wristband: how lively they are (about 1), where they like to be, and when."""

    wristband: str
    liveliness: float
    favourite_zone: str
    arrives: datetime
    leaves: datetime
    battery: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What one wristband said at one moment."""

    night: Night
    wristband: str
    zone: str
    at: datetime
    energy: int
    steps_per_minute: int
    signal: str
    battery: float
    track: str


def gig_days(today: date, *, past: int, coming: int) -> list[date]:
    """Return Fridays and Saturdays around today in order: so many before it, so many after it."""
    before = [today - timedelta(days=away) for away in range(1, past * 4 + 8)]
    after = [today + timedelta(days=away) for away in range(1, coming * 4 + 8)]
    evenings = (_FRIDAY, _SATURDAY)
    played = [day for day in before if day.weekday() in evenings][:past]
    return [*reversed(played), *[day for day in after if day.weekday() in evenings][:coming]]


def make_nights(
    random: Random, *, venues: tuple[Venue, ...], artists: tuple[Artist, ...], days: list[date], zone: tzinfo
) -> list[Night]:
    """Return a night for each day, in the same order."""
    return [
        _night(random, venues, artists, day, zone, number=number) for number, day in enumerate(days, start=1)
    ]


def _night(
    random: Random,
    venues: tuple[Venue, ...],
    artists: tuple[Artist, ...],
    day: date,
    zone: tzinfo,
    *,
    number: int,
) -> Night:
    venue = random.choice(venues)
    opening, main = random.sample(artists, 2)
    doors = datetime.combine(day, _DOORS, tzinfo=zone).astimezone(UTC)
    moment = doors + timedelta(minutes=50)
    programme: list[tuple[datetime, Artist, Track]] = []
    for act, rounds in ((opening, 1), (main, 2)):
        tracks = [track for _ in range(rounds) for track in random.sample(act.tracks, len(act.tracks))]
        for track in tracks:
            programme.append((moment, act, track))
            moment += timedelta(minutes=_TRACK_MINUTES, seconds=random.randint(5, 40))
        moment += timedelta(minutes=_PAUSE_MINUTES)
    share = min(1.0, random.gauss(0.82, 0.14))
    return Night(
        name=f"{main.name} at {venue.name}, night {number}",
        venue=venue,
        doors=doors,
        acts=(opening, main),
        tickets=max(20, round(venue.capacity * share)),
        sold_out=share >= 0.995,
        programme=tuple(programme),
    )


def make_wearers(random: Random, night: Night, wristbands: list[str]) -> list[Wearer]:
    """Return the people who wear these wristbands that night."""
    zones = [name for name, _ in night.venue.zones]
    pulls = [pull for _, pull in night.venue.zones]
    wearers = []
    for wristband in wristbands:
        arrives = night.doors + timedelta(minutes=max(0.0, random.gauss(48, 26)))
        leaves = night.ends + timedelta(minutes=min(35.0, random.gauss(-6, 24)))
        wearers.append(
            Wearer(
                wristband=wristband,
                liveliness=max(0.35, random.gauss(1, 0.22)),
                favourite_zone=random.choices(zones, pulls)[0],
                arrives=arrives,
                leaves=max(leaves, arrives + timedelta(minutes=30)),
                battery=random.uniform(62, 100),
            )
        )
    return wearers


def make_readings(
    random: Random, night: Night, wearers: list[Wearer], *, every: timedelta
) -> Iterator[Reading]:
    """Yield what the wristbands said, in order of time, each once in every interval with some jitter."""
    moment = night.doors
    seconds = every.total_seconds()
    while moment < night.ends + timedelta(minutes=30):
        for wearer in wearers:
            at = moment + timedelta(seconds=random.uniform(0, seconds))
            if wearer.arrives <= at <= wearer.leaves:
                yield _reading(random, night, wearer, at)
        moment += every


def _reading(random: Random, night: Night, wearer: Wearer, at: datetime) -> Reading:
    track = night.playing_at(at)
    zone = _zone(random, wearer, track)
    hours = (at - night.doors).total_seconds() / 3600
    warmth = 1 - math.exp(-hours / 0.9)
    tired = max(0.0, hours - 4.2) * 0.11
    pull = track.energy if track else 0.18
    calm = 0.42 if zone in ("Bar", "Food court") else 0.78 if zone in ("Balcony", "Gallery", "Hill") else 1.0
    level = 100 * pull * calm * wearer.liveliness * (0.55 + 0.45 * warmth) * (1 - tired) + random.gauss(0, 5)
    energy = min(100, max(2, round(level)))
    beat = track.tempo if track else 60
    steps = max(0, round(energy / 100 * beat * random.uniform(0.9, 1.12)))
    reception = (0.7, 0.27, 0.03) if zone == "Bar" else (0.9, 0.09, 0.01)
    signal = random.choices(("Good", "Weak", "Lost"), reception)[0]
    battery = max(1.0, wearer.battery - hours * 5.5 + random.gauss(0, 0.3))
    return Reading(
        night=night,
        wristband=wearer.wristband,
        zone=zone,
        at=at,
        energy=energy,
        steps_per_minute=steps,
        signal=signal,
        battery=round(min(battery, 100.0), 1),
        track=track.title if track else "",
    )


def _zone(random: Random, wearer: Wearer, track: Track | None) -> str:
    rest = "Food court" if wearer.favourite_zone in ("Field", "Hill") else "Bar"
    if random.random() < (0.06 if track else 0.45):
        return rest
    return wearer.favourite_zone
