"""The demonstration: an interrupted loading goes on where it was, and nobody's own address is taken."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from operations.demo import designs, people
from operations.demo.everything import SHOWS, is_loaded, load
from operations.demo.loading import CHUNK, Loader
from records.models import Collection, Record
from tenants.context import Actor, enter
from tenants.models import Organisation

ACTOR = Actor.system("test")
SMALL = replace(SHOWS[2], wish=replace(SHOWS[2].wish, slug="small-stage"), nights=2, wristbands=3, readings=4)


class Interrupted(Exception):
    """Ctrl-C, as the code in the middle of a loading meets it."""


def interrupt(*_: Any, **__: Any) -> None:
    """Stand for a step that somebody breaks off."""
    raise Interrupted


class TestAnInterruptedLoading:
    def test_goes_on_and_leaves_nothing_twice(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as during, pytest.raises(Interrupted):
            during.setattr(people, "share", interrupt)
            load([SMALL])
        assert not is_loaded()

        load([SMALL])

        assert is_loaded()
        with enter(Organisation.objects.get(slug="small-stage"), actor=ACTOR):
            assert User.objects.count() == 1 + len(SMALL.people)
            found = {
                collection.name: list(
                    Record.objects.live().filter(collection=collection).values_list("values", flat=True)
                )
                for collection in Collection.objects.all()
            }
        assert len(found["Venues"]) == len(SMALL.venues)
        assert len(found["Wristbands"]) == 3
        assert len(found["Crowd readings"]) == 4
        evenings = [values["name"] for values in found["Events"]]
        assert len(evenings) == len(set(evenings)) >= 2

    def test_goes_on_inside_a_collection(self, db: None, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            owner = User.objects.get(email="ada@pulse.example")
        loader, specs, wanted = Loader(pulse, owner, seed=1), designs.wristbands(), CHUNK + 3
        collection = loader.collection("Wristbands", "bolt", specs, "")

        with pytest.raises(Interrupted):
            loader.fill(collection, specs, broken_off(islice(numbered(), CHUNK)))

        assert loader.fill(collection, specs, islice(numbered(), wanted)) == wanted
        assert len(loader.ids(collection, "number")) == wanted


def numbered() -> Iterator[dict[str, str]]:
    """Rows without end, each with a number of its own."""
    number = 0
    while True:
        yield {"number": f"WB-{number}", "model": "lite"}
        number += 1


def broken_off(rows: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    """All of the rows, and then Ctrl-C."""
    yield from rows
    raise Interrupted


class TestAnAddressInUse:
    def test_stays_with_who_has_it(self, db: None) -> None:
        theirs = provision(Wish("small-stage", "Ours", "zoe@ours.example", "Zoe"))

        load([SMALL])

        with enter(theirs, actor=ACTOR):
            assert list(User.objects.values_list("email", flat=True)) == ["zoe@ours.example"]
            assert not Collection.objects.exists()
