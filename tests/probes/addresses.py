"""Every address of an organisation's site, with what stands in it."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


def _holes(entry: URLPattern) -> dict[str, str]:
    pattern: Any = entry.pattern
    converters = {name: type(converter).__name__ for name, converter in pattern.converters.items()}
    return converters or dict.fromkeys(pattern.regex.groupindex, "StringConverter")


def combinations(
    place: Place, *, own: Mapping[str, list[object]], foreign: Mapping[str, list[object]]
) -> Iterator[dict[str, object]]:
    """Yield every way of putting foreign things into an address, beside our own and beside foreign ones.

    `own` and `foreign` give the things by the name of a converter. At least one thing is foreign.
    """
    names = list(place.holes)
    for chosen in itertools.product((True, False), repeat=len(names)):
        if not any(chosen):
            continue
        pools = [
            (foreign if is_foreign else own).get(place.holes[name], [])
            for name, is_foreign in zip(names, chosen, strict=True)
        ]
        for values in itertools.product(*pools):
            yield dict(zip(names, values, strict=True))
