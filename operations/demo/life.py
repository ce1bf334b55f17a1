"""What the demonstration's people did after everything was there: views they keep, and some days of work."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.utils import timezone

from accounts.actions.invitations import invite
from accounts.identity.models import User
from operations.demo import drawings
from operations.demo.people import acting_as
from operations.demo.places import Venue
from permissions.models import Role
from records.actions import bulk, files, records, views
from records.actions.done import Done
from records.actions.refusals import Gone
from records.actions.undo import undo
from records.models import Collection, Record, SavedView
from records.tables import Filter, Op, Sort, TableQuery, of_collection
from tenants.context import Actor, enter
from tenants.models import Organisation


@dataclass(frozen=True, slots=True)
class Cast:
    """Who does what in an organisation, by address."""

    books: str
    door: str
    counts: str
    newcomer: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A view that somebody keeps."""

    collection: str
    name: str
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    columns: tuple[str, ...] = ()
    is_shared: bool = True


_VIEWS = (
    Kept("events", "Coming up", (Filter("state", Op.ANY, ("planned", "on_sale")),), "doors"),
    Kept("events", "Sold out", (Filter("state", Op.IS, ("sold_out",)),), "-tickets"),
    Kept("venues", "Step-free", (Filter("accessible", Op.IS, ("yes",)),), "-capacity"),
    Kept("wristbands", "Charge before the next night", (Filter("battery", Op.UNDER, ("65",)),), "battery"),
)
_OF_READINGS = (
    Kept(
        "readings",
        "When it moved most",
        (Filter("energy", Op.OVER, ("85",)),),
        "-energy",
        ("time", "event", "zone", "energy", "steps", "track"),
    ),
    Kept("readings", "Lost signals", (Filter("signal", Op.IS, ("lost",)),), "-time", is_shared=False),
)


class Scene:
    """An organisation with its collections, in which its people act."""

    def __init__(self, organisation: Organisation, found: Mapping[str, Collection]) -> None:
        self.organisation = organisation
        self.found = found
        with enter(organisation, actor=Actor.system("Demonstration")):
            self._people = {user.email: user for user in User.objects.all()}

    @contextmanager
    def acting(self, email: str) -> Iterator[User]:
        """Enter the organisation as one of its people."""
        person = self._people[email]
        with enter(self.organisation, actor=acting_as(person)):
            yield person

    def record(self, collection: str, **values: object) -> Record:
        """Return the first record that has these values."""
        wanted = {f"values__{key}": value for key, value in values.items()}
        return Record.objects.live().filter(collection=self.found[collection], **wanted).order_by("pk")[0]


def live(
    organisation: Organisation,
    found: Mapping[str, Collection],
    *,
    owner: str,
    cast: Cast,
    venue: Venue,
) -> None:
    """Let people keep views and work for some days, once; each writes what they may."""
    scene = Scene(organisation, found)
    with scene.acting(owner):
        if SavedView.objects.exists():
            return
    _keep_views(scene, owner)
    _plan_next_night(scene, cast, venue)
    _sort_wristbands(scene, cast)
    with scene.acting(owner) as person:
        role = Role.objects.get(code="member")
        invite(emails=[cast.newcomer], role=role, by=person, at=timezone.now())


def _keep_views(scene: Scene, owner: str) -> None:
    with scene.acting(owner) as person:
        for kept in (*_VIEWS, *(_OF_READINGS if "readings" in scene.found else ())):
            collection = scene.found[kept.collection]
            query = TableQuery(filters=kept.filters, sort=Sort.parse(kept.sort), columns=kept.columns)
            views.save(
                table=of_collection(collection, person),
                name=kept.name,
                query=query,
                by=person,
                at=timezone.now(),
                collection=collection,
                is_shared=kept.is_shared,
            )


def _plan_next_night(scene: Scene, cast: Cast, venue: Venue) -> None:
    """Put a planned night on sale, and write down where things are at a venue."""
    with scene.acting(cast.books) as person:
        _change(scene.record("events", state="planned"), person, state="on_sale", tickets=12)
        place = scene.record("venues", name=venue.name)
        note = f"{place.values['notes']}\nThe lift takes 400 kg; load in through the yard before four."
        _change(place, person, notes=note)
        files.attach(
            record=place,
            name=f"Plan of {venue.name}.png",
            chunks=[drawings.plan(venue)],
            by=person,
            at=timezone.now(),
        )


def _sort_wristbands(scene: Scene, cast: Cast) -> None:
    """Take the tired ones out of use; one is lost, one was a mistake and taken back, one was only a test."""
    bands = scene.found["wristbands"]
    with scene.acting(cast.counts) as person:
        tired = TableQuery(filters=(Filter("battery", Op.UNDER, ("64",)),))
        with suppress(Gone):  # none is tired where there are few
            bulk.change(
                table=of_collection(bands, person),
                which=bulk.Which(query=tired),
                values={"in_use": False},
                by=person,
                at=timezone.now(),
            )
    with scene.acting(cast.door) as person:
        _change(scene.record("wristbands", in_use=True, model="pro"), person, in_use=False)
        mistaken = _change(scene.record("wristbands", in_use=True, model="lite"), person, in_use=False)
        undo(token=mistaken.undo, by=person, at=timezone.now())
        test = records.create(
            collection=bands, values={"number": "Test band", "model": "lite"}, by=person, at=timezone.now()
        )
        assert test.record is not None
        records.move_to_bin(collection=bands, ids=[test.record.pk], by=person, at=timezone.now())


def _change(record: Record, person: User, **values: object) -> Done:
    return records.change(record=record, values=values, expected=record.version, by=person, at=timezone.now())
