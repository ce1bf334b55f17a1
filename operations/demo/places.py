"""Venues, artists and tracks of the demonstration. Invented; any likeness is chance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Venue:
    """A place with its zones; `pull` says how much of the crowd each zone draws."""

    name: str
    city: str
    capacity: int
    opened: str
    zones: tuple[tuple[str, float], ...]
    contact: str
    rent: str
    accessible: bool


@dataclass(frozen=True, slots=True)
class Track:
    """A piece of music: how much it moves people (0 to 1) and its beats per minute."""

    title: str
    energy: float
    tempo: int


@dataclass(frozen=True, slots=True)
class Artist:
    """Who plays, and what."""

    name: str
    style: str
    tracks: tuple[Track, ...]


CLUB = (("Front left", 0.22), ("Front right", 0.2), ("Floor", 0.34), ("Balcony", 0.12), ("Bar", 0.12))
HALL = (("Front", 0.3), ("Floor", 0.4), ("Gallery", 0.2), ("Bar", 0.1))
FIELD = (("Front", 0.25), ("Field", 0.5), ("Hill", 0.15), ("Food court", 0.1))

PULSE_VENUES = (
    Venue("Warehouse 14", "Berlin", 900, "2011-05-20", CLUB, "house@warehouse14.example", "4200.00", True),
    Venue("Kraftraum", "Leipzig", 650, "2016-09-02", CLUB, "desk@kraftraum.example", "2900.00", False),
    Venue("The Glass Quay", "Hamburg", 1400, "2019-03-15", HALL, "events@glassquay.example", "6800.00", True),
    Venue("Salle Noire", "Strasbourg", 500, "2008-11-07", CLUB, "oui@sallenoire.example", "2100.00", True),
    Venue("Lichthof", "Dresden", 780, "2013-06-28", HALL, "info@lichthof.example", "3300.00", True),
)
NORTHLIGHT_VENUES = (
    Venue("Fjordmarka", "Bergen", 12000, "2004-06-11", FIELD, "camp@fjordmarka.example", "38000.00", True),
    Venue("Harbour Shed", "Aarhus", 2200, "2015-08-21", HALL, "shed@harbour.example", "9100.00", True),
    Venue("Isfabrikken", "Oslo", 1100, "2010-10-01", CLUB, "post@isfabrikken.example", "5200.00", False),
)
LITTLE_VENUES = (
    Venue("Village hall", "Hay Bridge", 120, "1962-04-01", HALL, "keys@villagehall.example", "60.00", True),
)

ARTISTS = (
    Artist(
        "Glass Parade",
        "Techno",
        (
            Track("Glass Parade", 0.92, 132),
            Track("Night Tram", 0.71, 126),
            Track("Copper Rain", 0.8, 128),
            Track("Slow Signal", 0.48, 118),
            Track("Kilometre Zero", 0.97, 136),
        ),
    ),
    Artist(
        "Ines Maru",
        "House",
        (
            Track("Paper Lanterns", 0.62, 121),
            Track("Second Sun", 0.85, 124),
            Track("Salt Stairs", 0.74, 123),
            Track("Open Window", 0.52, 116),
        ),
    ),
    Artist(
        "The Low Tide Choir",
        "Indie",
        (
            Track("Harbour Lights", 0.45, 96),
            Track("Everyone We Knew", 0.78, 112),
            Track("Small Hours", 0.36, 84),
            Track("Run the Pier", 0.83, 140),
        ),
    ),
    Artist(
        "Vanta",
        "Drum and bass",
        (
            Track("Ferric", 0.95, 174),
            Track("Undertow", 0.82, 172),
            Track("Cold Start", 0.88, 175),
            Track("Half Light", 0.58, 170),
        ),
    ),
    Artist(
        "Odessa Brass",
        "Balkan",
        (
            Track("Wedding in the Rain", 0.9, 148),
            Track("Three Uncles", 0.86, 152),
            Track("Lullaby for a Trumpet", 0.3, 78),
        ),
    ),
)
