"""What a merge has found, for whoever decides: clashes under their headings, and rows in people's words."""

from collections.abc import Mapping
from typing import Any

from operations.joining.clashes import Kind
from operations.joining.shape import tables

# What stands in the way first, then what becomes of people, then what becomes of things.
ORDER = (Kind.STOPS, Kind.SAME_PERSON, Kind.OTHER_ROLE, Kind.OTHER_NAME, Kind.LEFT_BEHIND)
Told = Mapping[str, str]


def grouped(result: Mapping[str, Any]) -> list[tuple[Kind, list[Told]]]:
    """Return all clashes of a merge by their kinds, in the order in which one reads them."""
    found: list[Told] = result.get("clashes", [])
    groups = [(kind, [clash for clash in found if clash["kind"] == kind]) for kind in ORDER]
    return [(kind, clashes) for kind, clashes in groups if clashes]


def in_words(counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows of what there are, the most first; tables are called as people call their rows."""
    names = {table.name: table.said for table in tables()}
    said: dict[str, int] = {}
    for name, count in counts.items():
        said[names.get(name, name)] = said.get(names.get(name, name), 0) + count
    return dict(sorted(said.items(), key=lambda line: -line[1]))
