"""From a Host header to what answers there: exact match, and no default."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from tenants.models import Domain
from tenants.placement import State, Stop, Tenant

# Seconds for which a look-up is believed. Short, because a suspension must be felt at once.
BELIEVED_FOR = 1.0
_MOST_REMEMBERED = 10_000


class Site(StrEnum):
    """What kind of site answers on a host."""

    PUBLIC = "public"
    OPERATORS = "operators"
    CONTENT = "content"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Whole:
    """The organisation of which another one has become a part: what visitors of the other are told of it."""

    name: str
    host: str


@dataclass(frozen=True, slots=True)
class Answering:
    """The site behind a host and, for an organisation's, which one; `whole` for one that is a part."""

    site: Site
    tenant: Tenant | None = None
    whole: Whole | None = None


class BadHost(ValueError):
    """The Host header is not a host name."""


def normalise(raw: str) -> str:
    """Return a host in lower case without port and trailing dot; raise BadHost for anything else.

    International names arrive in their ASCII form; everything outside [a-z0-9.-] is refused.
    """
    host, separator, port = raw.strip().lower().partition(":")
    if separator and not (port.isdigit() and len(port) <= 5):
        raise BadHost(raw[:100])
    host = host.removesuffix(".")
    if (
        not host
        or len(host) > 253
        or not all(char.isascii() and (char.isalnum() or char in ".-") for char in host)
    ):
        raise BadHost(raw[:100])
    return host


def named(meta: Mapping[str, Any]) -> str:
    """Return the host that a request names; raise BadHost if it names two.

    Two Host headers arrive as one with a comma, which is no host. A request line with a whole address
    in it ("GET http://…") must name the same host as the header.
    """
    header = str(meta.get("HTTP_HOST", ""))
    line = str(meta.get("RAW_URI", ""))
    is_whole = not line.startswith("/") and "://" in line
    if is_whole and urlsplit(line).netloc.lower() != header.strip().lower():
        raise BadHost(header[:100])
    return header


_remembered: dict[str, tuple[float, Answering | None]] = {}


def forget() -> None:
    """Drop what is remembered; for tests and after a change in the same process."""
    _remembered.clear()


def find_again(host: str) -> Answering | None:
    """Return the same as `find`, without believing what is remembered."""
    _remembered.pop(host, None)
    return find(host)


def find(host: str) -> Answering | None:
    """Return what answers on a normalised host, or None. An unknown host costs no query to a tenant."""
    if host == settings.BASE_DOMAIN:
        return Answering(Site.PUBLIC)
    if host == settings.OPERATORS_HOST:
        return Answering(Site.OPERATORS)
    now = time.monotonic()
    known = _remembered.get(host)
    if known and now - known[0] < BELIEVED_FOR:
        return known[1]
    answering = _look_up(host)
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[host] = (now, answering)
    return answering


def _look_up(host: str) -> Answering | None:
    content_suffix = "." + settings.CONTENT_DOMAIN
    if host.endswith(content_suffix):
        tenant = _tenant(tenant__content_label=host.removesuffix(content_suffix), is_primary=True)
        return Answering(Site.CONTENT, tenant, _whole_of(tenant)) if tenant else None
    tenant = _tenant(domain=host)
    return Answering(Site.ORGANISATION, tenant, _whole_of(tenant)) if tenant else None


def _tenant(**conditions: object) -> Tenant | None:
    """Return the placement behind a domain in one query of the control plane."""
    row = (
        Domain.objects.filter(**conditions)
        .values(
            "tenant_id",
            "tenant__slug",
            "tenant__name",
            "tenant__schema_name",
            "tenant__shard_id",
            "tenant__epoch",
            "tenant__release",
            "tenant__state",
            "domain",
        )
        .first()
    )
    if row is None:
        return None
    return Tenant(
        id=row["tenant_id"],
        slug=row["tenant__slug"],
        name=row["tenant__name"],
        schema=row["tenant__schema_name"],
        alias=row["tenant__shard_id"],
        epoch=row["tenant__epoch"],
        release=row["tenant__release"],
        state=State(row["tenant__state"]),
        host=row["domain"],
    )


def _whole_of(tenant: Tenant) -> Whole | None:
    """Return what an organisation has become a part of. Only who is gone has: nobody else costs a query."""
    if not tenant.stops(Stop.ENTRY):
        return None
    row = (
        Domain.objects.filter(tenant__parts=tenant.id, is_primary=True)
        .values("domain", "tenant__name")
        .first()
    )
    return Whole(row["tenant__name"], row["domain"]) if row else None
