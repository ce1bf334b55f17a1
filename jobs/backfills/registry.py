"""Which backfills there are: what each fills, since which migration, and which rows still need it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, Q, QuerySet

Function = Callable[[QuerySet[Any]], int]
_FORM = re.compile(r"[a-z][a-z_]*\.[a-z][a-z0-9_]*")


class UnknownBackfill(LookupError):
    """No app has registered a backfill of this name."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """One backfill. `todo` is the condition of rows that need it, `since` the migration it needs."""

    name: str
    label: str
    model: type[Model]
    since: str
    todo: Q
    function: Function


_known: dict[str, Backfill] = {}


def backfill(
    name: str, *, model: type[Model], since: str, todo: Q, label: str = ""
) -> Callable[[Function], Function]:
    """Register the decorated function as what fills some rows; it returns how many it changed.

    After it, none of its rows may still match `todo`: so whatever is done twice does nothing. `label`
    is read by people in the trail and among the jobs. Raises ImproperlyConfigured for a malformed name or
    migration, and for a name that another function has.
    """
    if not _FORM.fullmatch(name):
        raise ImproperlyConfigured(f"{name!r} is not a backfill: write app.noun in lower case.")
    if len(since.split(".")) != 2:
        raise ImproperlyConfigured(f"Backfill {name}: {since!r} is not a migration: write app.0002_name.")
    if not todo:
        raise ImproperlyConfigured(f"Backfill {name} must say which rows need it.")

    def keep(function: Function) -> Function:
        known = _known.get(name)
        if known is not None and known.function is not function:
            raise ImproperlyConfigured(f"Backfill {name} is registered twice.")
        said = label or f"Fill {name.partition('.')[2].replace('_', ' ')}"
        _known[name] = Backfill(name, said, model, since, todo, function)
        return function

    return keep


def find(name: str) -> Backfill | None:
    """Return a backfill, or None: another release may know it."""
    return _known.get(name)


def get(name: str) -> Backfill:
    """Return a backfill; raise UnknownBackfill."""
    try:
        return _known[name]
    except KeyError:
        raise UnknownBackfill(f"There is no backfill {name!r} in this release.") from None


def names() -> list[str]:
    """Return the names of all backfills, in order."""
    return sorted(_known)


def forget(name: str) -> None:
    """Take a backfill out again. For tests."""
    _known.pop(name, None)
