"""F13: organisations that grew at random are merged, split and undone; every row is accounted for."""

from random import Random
from typing import Any

import pytest

from tests.joining import owning
from tests.joining.test_merging import kept
from tests.leaving.conftest import House
from tests.restoring.conftest import ONE, TWO

APART = "org-2"
# On every change a few of them; all 200 at night.
ROUNDS = [5, pytest.param(100, marks=pytest.mark.nightly)]
_STEPS = 60
_WHY = ("--reason", "chance", "--by", ONE)


def grown(house: House, slug: str, chance: Random) -> Any:
    """Return what an organisation has that is made now, on a shard, and has grown."""
    alias = chance.choice(["shard_1", "shard_2"])
    house.made.schemas[slug] = (alias, house.do("found", slug, alias))
    house.do("grow", slug, 1, chance.randrange(_STEPS // 2, _STEPS))
    return house.do("described", slug)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_merging(house: House, rounds: int) -> None:
    for number in range(rounds):
        chance = Random(number)
        there, here = f"there-{rounds}-{number}", f"here-{rounds}-{number}"
        came, had = grown(house, there, chance), grown(house, here, chance)
        was = {slug: kept(house, slug) for slug in (there, here, APART)}

        house.owner.command("merge", there, "--into", here, *_WHY)
        house.owner.command("merge", there, "--approve", "--by", TWO, typed=there)

        has = house.do("described", here)
        assert (number, owning.differences(owning.plain(has), owning.merged(had, came))) == (number, [])
        assert kept(house, there) == was[there]
        if chance.random() < 0.5:
            house.do("grow", here, 2, chance.randrange(1, 12))
        grew = house.do("described", here)

        house.owner.command("merge", there, "--undo", *_WHY)

        if grew == has:
            assert kept(house, here) == was[here], number
        else:
            still_there(grew, house.do("described", here), came=came, had=had)
        assert {slug: kept(house, slug) for slug in (there, APART)} == {
            slug: was[slug] for slug in (there, APART)
        }


def still_there(grew: Any, after: Any, *, came: Any, had: Any) -> None:
    """Check that after undoing there is what was there before, and what people did since."""
    for what in ("records", "files", "collections", "views", "speakers"):
        own = {key: one for key, one in grew[what].items() if key not in came[what]}
        if what == "views":
            # They go with a collection that goes, and with people who do.
            own = {
                key: one
                for key, one in own.items()
                if one[0] in after["collections"] and one[1] in had["people"]
            }
        assert {key: one for key, one in after[what].items() if key in own} == own
    worked_on = {
        key
        for key, one in came["records"].items()
        if key in grew["records"] and grew["records"][key]["version"] != one["version"]
    }
    assert worked_on <= after["records"].keys()
    for email, person in had["people"].items():
        assert after["people"][email] == grew["people"][email] or not person["active"]
    for email in after["people"].keys() - had["people"].keys() & came["people"].keys():
        assert not after["people"][email]["active"]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_splitting(house: House, rounds: int) -> None:
    for number in range(rounds):
        chance = Random(1_000 + number)
        source, name = f"whole-{rounds}-{number}", f"part-{rounds}-{number}"
        had = grown(house, source, chance)
        was = {slug: kept(house, slug) for slug in (source, APART)}
        picks = _picked(had, chance, source)
        if picks is None:
            continue
        goes, both, collections, owner = picks
        ask(house, source, name, had, picks)
        house.owner.command("split", source, "--approve", "--by", TWO, typed=source)
        ((alias, schema),) = house.made.control(
            f"SELECT shard_id, schema_name FROM tenants_organisation WHERE slug = '{name}'"
        )
        house.made.schemas[name] = (str(alias), str(schema))

        has, left = house.do("described", name), house.do("described", source)
        wanted = owning.split_off(had, collections=collections, goes=goes, both=both, owner=owner)
        check_new(owning.plain(has), wanted, there=goes | both, everybody=had)
        stays = owning.left(had, collections=collections, goes=goes)
        assert (number, owning.differences(_but_groups(owning.plain(left)), _but_groups(stays))) == (
            number,
            [],
        )
        assert kept(house, APART) == was[APART]

        if chance.random() < 0.6:
            house.owner.command("split", source, "--undo", *_WHY)
            assert kept(house, source) == was[source], number
        else:
            house.owner.command("split", source, "--close", *_WHY)
            closed = house.do("described", source)
            wanted = owning.without(owning.plain(left), collections=collections)
            assert (number, owning.differences(owning.plain(closed), wanted)) == (number, [])
            assert house.do("described", name) == has


def _picked(had: Any, chance: Random, source: str) -> tuple[set[str], set[str], list[str], str] | None:
    """Choose who goes, who is in both, which collections go, and who owns the new one."""
    live = sorted(key for key, one in had["collections"].items() if not one["binned"])
    people = sorted(email for email, one in had["people"].items() if one["role"] and one["role"] != "Owner")
    if not live or len(people) < 2:
        return None
    some = chance.sample(people, chance.randrange(1, min(len(people), 8)))
    cut = chance.randrange(len(some) + 1)
    goes, both = set(some[:cut]), set(some[cut:])
    if chance.random() < 0.3:
        both.add(f"o@{source}.example")
    return goes, both, chance.sample(live, chance.randrange(1, len(live) + 1)), chance.choice(some)


def ask(
    house: House, source: str, name: str, had: Any, picks: tuple[set[str], set[str], list[str], str]
) -> None:
    """Ask for a split of what was chosen."""
    goes, both, collections, owner = picks
    words = ["split", source, "--name", name, "--address", name, "--owner", owner, *_WHY]
    for option, values in (
        ("--person", sorted(goes)),
        ("--both", sorted(both)),
        ("--collection", [had["collections"][key]["key"] for key in collections]),
    ):
        words += [word for value in values for word in (option, value)]
    house.owner.command(*words)


def check_new(has: Any, wanted: Any, *, there: set[str], everybody: Any) -> None:
    """Check that a new organisation has what it has to have, and of others no more than their names."""
    for what in ("collections", "records", "files", "views", "speakers"):
        assert has[what] == wanted[what], what
    assert {email: has["people"][email] for email in there} == wanted["people"]
    for email in has["people"].keys() - there:
        assert not has["people"][email]["active"]
        assert has["people"][email]["role"] is None
        assert email in owning.named({**wanted, "people": everybody["people"]})
    assert has["grants"] == wanted["grants"]
    for name, members in has["groups"]:
        assert {member[0] for member in members} <= there, name


def _but_groups(told: Any) -> Any:
    return {key: one for key, one in told.items() if key != "groups"}
