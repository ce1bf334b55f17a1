"""What two organisations have to have after a merge or a split, worked out from what they had before.

It knows nothing of how organisations are joined: descriptions (tests.joining.growing) are added and divided.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

Told = dict[str, Any]
# What a name is given that is there already.
_OTHER_NAME = re.compile(r"( \([\w-]+( \d+)?\)| \d+)+$")
_BY_ID = ("collections", "records", "files", "views", "speakers")


def base(name: str | None) -> str | None:
    """Return a name as it was before it had to be another one."""
    return name and _OTHER_NAME.sub("", name)


def plain(told: Told) -> Told:
    """Return a description in which names count as they were, and groups as who is in them."""
    result = deepcopy(told)
    for person in result["people"].values():
        person["role"] = base(person["role"])
    for collection in result["collections"].values():
        collection["name"] = base(collection["name"])
        del collection["key"]
    result["groups"] = Counter(
        (base(name), tuple(tuple(member) for member in members)) for name, members in told["groups"].items()
    )
    result["grants"] = Counter((_whose(grant[0]), *grant[1:]) for grant in told["grants"])
    return result


def _whose(said: str) -> str:
    return f"group {base(said.removeprefix('group '))}" if said.startswith("group ") else said


def merged(here: Told, there: Told) -> Told:
    """Return what `here` has to have, plainly, once `there` is a part of it."""
    result, comes = plain(here), plain(there)
    for email, person in comes["people"].items():
        role = "Admin" if person["role"] == "Owner" else person["role"]
        result["people"].setdefault(email, {**person, "role": role})
    for what in _BY_ID:
        assert not result[what].keys() & comes[what].keys()
        result[what] |= comes[what]
    result["groups"] += comes["groups"]
    result["grants"] += comes["grants"]
    return result


def split_off(
    before: Told, *, collections: Iterable[str], goes: set[str], both: set[str], owner: str
) -> Told:
    """Return what the new organisation has to have, plainly, but for groups and for people by name only."""
    result, there, chosen = plain(before), goes | both, set(collections)
    of = {key: one["collection"] for key, one in before["records"].items()} | {key: key for key in chosen}
    result["collections"] = {key: one for key, one in result["collections"].items() if key in chosen}
    result["records"] = {key: one for key, one in result["records"].items() if of[key] in chosen}
    result["files"] = {key: one for key, one in result["files"].items() if of[one[0]] in chosen}
    result["views"] = {
        key: one for key, one in result["views"].items() if one[0] in chosen and one[1] in there
    }
    result["grants"] = Counter(
        grant
        for grant in result["grants"].elements()
        if of.get(grant[2]) in chosen and (grant[0] in there or grant[0].startswith("group "))
    )
    result["people"] = {email: one for email, one in result["people"].items() if email in there}
    for email, person in result["people"].items():
        if person["role"] == "Owner":
            person["role"] = "Admin"
        if email == owner:
            person["role"] = "Owner"
    result["speakers"] = {}
    return result


def left(before: Told, *, collections: Iterable[str], goes: set[str]) -> Told:
    """Return what the old organisation has to have, plainly, but for groups, while a split can be undone."""
    result = plain(before)
    for key in collections:
        result["collections"][key]["binned"] = True
    for email in goes:
        result["people"][email] |= {"active": False, "role": None}
    return result


def without(told: Told, *, collections: Iterable[str]) -> Told:
    """Return a plain description from which collections have gone with everything of theirs."""
    result, gone = deepcopy(told), set(collections)
    of = {key: one["collection"] for key, one in told["records"].items()} | {key: key for key in gone}
    result["collections"] = {key: one for key, one in told["collections"].items() if key not in gone}
    result["records"] = {key: one for key, one in told["records"].items() if of[key] not in gone}
    result["files"] = {key: one for key, one in told["files"].items() if of[one[0]] not in gone}
    result["views"] = {key: one for key, one in told["views"].items() if one[0] not in gone}
    result["grants"] = Counter(one for one in told["grants"].elements() if of.get(one[2]) not in gone)
    return result


def named(told: Told) -> set[str]:
    """Return the addresses of all people whom records, collections and files of a description name."""
    rows = [*told["records"].values(), *told["collections"].values(), *told["files"].values()]
    return {word for row in rows for word in _words(row) if word in told["people"]}


def differences(has: Told, wanted: Told) -> list[object]:
    """Return what differs between two plain descriptions: which part, of what, is what, should be what."""
    found: list[object] = []
    for what in sorted(has.keys() | wanted.keys()):
        one, other = has.get(what), wanted.get(what)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            keys = sorted(one.keys() | other.keys(), key=str)
            found += [
                (what, key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)
            ]
        elif one != other:
            found.append((what, one, other))
    return found


def _words(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _words(one)
