"""What a merge has found, for operators: how much of what there is under each heading, and rows in words.

What is found by name is for whoever has the owner's login (operations.joining.clashes.listed).
"""

from collections.abc import Mapping
from typing import Any

from operations.joining.clashes import Kind
from operations.joining.shape import tables

# What stands in the way first, then what becomes of people, then what becomes of things.
ORDER = (
    *(
        Kind.STOPS,
        Kind.SAME_PERSON,
        Kind.POWER,
        Kind.OTHER_ROLE,
        Kind.LOSES,
        Kind.OTHER_NAME,
        Kind.IN_BOTH,
        Kind.BY_NAME,
    ),
    *(Kind.CROSSES, Kind.LEFT_BEHIND),
)


def grouped(result: Mapping[str, Any]) -> list[tuple[Kind, list[str]]]:
    """Return how much of what was found of each kind, in the order in which one reads them."""
    found: list[dict[str, str]] = result.get("clashes", [])
    groups = [
        (kind, [f"{one['noun']} ({one['count']})" for one in found if one["kind"] == kind]) for kind in ORDER
    ]
    return [(kind, lines) for kind, lines in groups if lines]


def in_words(counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows of what there are, the most first; tables are called as people call their rows."""
    names = {table.name: table.said for table in tables()}
    said: dict[str, int] = {}
    for name, count in counts.items():
        said[names.get(name, name)] = said.get(names.get(name, name), 0) + count
    return dict(sorted(said.items(), key=lambda line: -line[1]))
