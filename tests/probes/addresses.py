"""Every address of an organisation's site, with what stands in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch


@dataclass(frozen=True, slots=True)
class Place:
    """One address: its name with namespaces, and the converter of each thing that stands in it."""

    name: str
    holes: Mapping[str, str]

    def filled(self, values: Mapping[str, object]) -> str | None:
        """Return the address with these things in it; None when they do not fit its form."""
        try:
            return reverse(self.name, urlconf=settings.URLCONF_TENANT, kwargs=dict(values))
        except NoReverseMatch:
            return None


def places() -> list[Place]:
    """Return every named address of the tenant site."""
    return sorted(_walk(get_resolver(settings.URLCONF_TENANT), ""), key=lambda place: place.name)


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Place]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            namespace = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from _walk(entry, namespace)
        elif isinstance(entry, URLPattern) and entry.name:
            yield Place(f"{prefix}{entry.name}", _holes(entry))


# Keys of registered rooms: the same in every organisation, so nobody's.
ROOM = "RoomKey"


def _holes(entry: URLPattern) -> dict[str, str]:
    pattern: Any = entry.pattern
    converters = {name: type(converter).__name__ for name, converter in pattern.converters.items()}
    if entry.default_args.get("kind") == "room":
        converters["key"] = ROOM
    return converters or dict.fromkeys(pattern.regex.groupindex, "StringConverter")


Things = Mapping[str, list[object]]


def drawn(place: Place, random: Random, *, own: Things, foreign: Things) -> dict[str, object] | None:
    """Return one way of putting foreign things into an address, beside our own and beside foreign ones.

    At least one thing is foreign. None when there is nothing that would fit.
    """
    names = [name for name, kind in place.holes.items() if kind != ROOM]
    if not names:
        return None
    forced = random.choice(names)
    values: dict[str, object] = {}
    for name in place.holes:
        is_foreign = name == forced or random.random() < 0.5
        pool = (foreign if is_foreign else own)[place.holes[name]]
        if not pool:
            return None
        values[name] = random.choice(pool)
    return values


def each(place: Place, *, own: Things, foreign: Things) -> Iterator[dict[str, object]]:
    """Yield every foreign thing in every hole of an address, the other holes filled with ours."""
    for name, kind in place.holes.items():
        if kind == ROOM:
            continue
        others = {other: own[place.holes[other]][:1] for other in place.holes if other != name}
        if not all(others.values()):
            continue
        beside = {other: pool[0] for other, pool in others.items()}
        for value in foreign[kind]:
            yield {**beside, name: value}
