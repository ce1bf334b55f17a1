"""Typed readers of the environment. A wrong value names the variable, its value and what would be right."""

import os
import re
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
