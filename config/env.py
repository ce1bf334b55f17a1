"""Typed readers of the environment. A wrong value names the variable, its value and what would be right."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, *, default: str | None = None) -> str:
    """Return a variable's text; raise ImproperlyConfigured if it is missing and has no default."""
    raw = os.environ.get(name, default)
    if raw is None or (raw == "" and default is None):
        raise ImproperlyConfigured(f"{name} is not set.")
    return raw


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no variable: 1 or 0."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} is {raw!r}; use 1 or 0.")
    return raw == "1"


def number(name: str, *, default: int, least: int = 0) -> int:
    """Return a whole number not below `least`."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if not raw.isascii() or not raw.isdigit() or int(raw) < least:
        raise ImproperlyConfigured(f"{name} is {raw!r}; use a whole number of {least} or more.")
    return int(raw)


def place(name: str) -> tuple[int, int]:
    """Return which of how many, written as 1/2; (1, 1) when it is not set."""
    raw = os.environ.get(name, "1/1")
    match = re.fullmatch(r"([1-9]\d?)/([1-9]\d?)", raw)
    if match is None or int(match[1]) > int(match[2]):
        raise ImproperlyConfigured(f"{name} is {raw!r}; use such as 1/2 for the first of two.")
    return int(match[1]), int(match[2])


def words(name: str, *, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return a list written with commas."""
    raw = os.environ.get(name)
    return default if raw is None else tuple(word.strip() for word in raw.split(",") if word.strip())


def folder(name: str, *, default: Path) -> Path:
    """Return a folder's path, absolute."""
    raw = os.environ.get(name)
    return (Path(raw) if raw else default).absolute()


def name(variable: str, *, default: str) -> str:
    """Return a short name of lower-case letters, digits, dots and hyphens."""
    raw = os.environ.get(variable) or default
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?", raw):
        raise ImproperlyConfigured(
            f"{variable} is {raw!r}; use up to 40 lower-case letters, digits, dots and hyphens."
        )
    return raw


def one_of(name: str, allowed: tuple[str, ...], *, default: str) -> str:
    """Return one of the allowed words."""
    raw = os.environ.get(name, default)
    if raw not in allowed:
        raise ImproperlyConfigured(f"{name} is {raw!r}; use one of {', '.join(allowed)}.")
    return raw


def database(name: str, *, engine: str) -> dict[str, object]:
    """Return Django's description of the database whose URL stands in variable `name`.

    What follows a question mark goes to the driver, such as sslmode=verify-full.
    """
    parts = urlsplit(text(name))
    if parts.scheme not in ("postgresql", "postgres") or not parts.hostname or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} is not of the form postgresql://login:password@host:port/database."
        )
    return {
        "ENGINE": engine,
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": str(parts.port or 5432),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def shard_aliases() -> tuple[str, ...]:
    """Return the aliases of all shards named in the environment, in order: shard_1, shard_2, …"""
    found = (re.fullmatch(r"SHARD_(\d+)_DATABASE_URL", name) for name in os.environ)
    return tuple(f"shard_{n}" for n in sorted(int(match[1]) for match in found if match))


@dataclass(frozen=True, slots=True)
class ShardWords:
    """What the environment says of one shard beside its address; None where it leaves it to the operators."""

    region: str | None = None
    capacity: int | None = None
    reserved_for: str | None = None

    def said(self) -> dict[str, str | int]:
        """Return what is said, by the name of the column that it holds for."""
        named = (("region", self.region), ("capacity", self.capacity), ("reserved_for", self.reserved_for))
        return {name: value for name, value in named if value is not None}


def shard(alias: str) -> ShardWords:
    """Return what SHARD_n_REGION, SHARD_n_CAPACITY and SHARD_n_RESERVED_FOR say of a shard."""
    prefix = alias.upper()
    has_capacity = f"{prefix}_CAPACITY" in os.environ
    return ShardWords(
        region=_label(f"{prefix}_REGION", may_be_empty=False),
        capacity=number(f"{prefix}_CAPACITY", default=0) if has_capacity else None,
        reserved_for=_label(f"{prefix}_RESERVED_FOR", may_be_empty=True),
    )


def _label(name: str, *, may_be_empty: bool) -> str | None:
    raw = os.environ.get(name)
    if raw is None or (raw == "" and may_be_empty):
        return raw
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", raw):
        raise ImproperlyConfigured(f"{name} is {raw!r}; use up to 40 lower-case letters, digits and hyphens.")
    return raw
