"""Which tables may have very many rows, so that a change of them must not read or write all at once.

Said where a model is registered, and read by the check of migrations. It errs to the safe side: rooms of
a team's own take imports, so they count as large unless they say otherwise.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

_large: dict[str, str] = {}


def large(*models: type[Model] | Any, because: str) -> None:
    """Say that the tables of these models may have very many rows in one organisation, and why."""
    if not because.strip():
        raise ImproperlyConfigured("Say why these tables are large.")
    for model in models:
        _large[str(model._meta.db_table)] = because


def large_tables() -> dict[str, str]:
    """Return the tables said to be large, each with why."""
    return dict(_large)
