"""The designs of the demonstration's collections."""

from uuid import UUID

from records.values import Choice, FieldSpec, FieldType

SIGNALS = ("Good", "Weak", "Lost")
STATES = ("Planned", "On sale", "Sold out", "Over")


def code(label: str) -> str:
    """Return the code of a choice from its label."""
    return label.lower().replace(" ", "_")


def choices(labels: tuple[str, ...] | list[str]) -> tuple[Choice, ...]:
    """Return choices in the order of their labels."""
    return tuple(Choice(code(label), label) for label in labels)


def link(key: str, name: str, to: UUID, to_name: str, *, required: bool = False) -> FieldSpec:
    """Return a field that links to a record of another collection."""
    options = {"collection": str(to), "collection_name": to_name}
    return FieldSpec(key=key, name=name, type=FieldType.RECORD, required=required, options=options)


def venues() -> tuple[FieldSpec, ...]:
    """Return the fields of Venues."""
    return (
        FieldSpec("name", "Name", FieldType.TEXT, required=True, unique=True),
        FieldSpec("city", "City", FieldType.TEXT),
        FieldSpec("capacity", "Capacity", FieldType.INTEGER, help="People, standing."),
        FieldSpec("opened", "Opened", FieldType.DATE),
        FieldSpec("accessible", "Step-free", FieldType.YES_NO),
        FieldSpec("contact", "Contact", FieldType.EMAIL),
        FieldSpec(
            "rent", "Rent a night", FieldType.MONEY, sensitive=True, options={"currency": "EUR", "places": 2}
        ),
        FieldSpec("notes", "Notes", FieldType.LONG_TEXT),
    )


def events(venues_id: UUID, styles: list[str]) -> tuple[FieldSpec, ...]:
    """Return the fields of Events."""
    return (
        FieldSpec("name", "Name", FieldType.TEXT, required=True, unique=True),
        link("venue", "Venue", venues_id, "Venues"),
        FieldSpec("doors", "Doors", FieldType.DATETIME, required=True),
        FieldSpec("headliner", "Headliner", FieldType.TEXT),
        FieldSpec("styles", "Styles", FieldType.CHOICES, choices=choices(styles)),
        FieldSpec("tickets", "Tickets sold", FieldType.INTEGER),
        FieldSpec("state", "State", FieldType.CHOICE, choices=choices(STATES)),
        FieldSpec("website", "Website", FieldType.LINK),
    )


def wristbands() -> tuple[FieldSpec, ...]:
    """Return the fields of Wristbands."""
    return (
        FieldSpec("number", "Number", FieldType.TEXT, required=True, unique=True),
        FieldSpec("model", "Model", FieldType.CHOICE, choices=choices(("Lite", "Pro"))),
        FieldSpec("issued", "Issued", FieldType.DATE),
        FieldSpec("battery", "Battery, %", FieldType.DECIMAL),
        FieldSpec("in_use", "In use", FieldType.YES_NO),
    )


def readings(wristbands_id: UUID, events_id: UUID, zones: list[str]) -> tuple[FieldSpec, ...]:
    """Return the fields of Crowd readings."""
    return (
        link("wristband", "Wristband", wristbands_id, "Wristbands", required=True),
        link("event", "Event", events_id, "Events", required=True),
        FieldSpec("zone", "Zone", FieldType.CHOICE, choices=choices(zones)),
        FieldSpec("time", "Time", FieldType.DATETIME, required=True),
        FieldSpec("energy", "Energy", FieldType.INTEGER, help="0 to 100, from how the wristband moved."),
        FieldSpec("steps", "Steps/min", FieldType.INTEGER),
        FieldSpec("signal", "Signal", FieldType.CHOICE, choices=choices(SIGNALS)),
        FieldSpec("battery", "Battery, %", FieldType.DECIMAL),
        FieldSpec("track", "Track", FieldType.TEXT),
    )
