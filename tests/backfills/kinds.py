"""Backfills for the tests, known to the tests' process and to the workers they start."""

import time
from typing import Any

from django.db import connections
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat

from jobs.backfills import registry
from tenants.context import required
from tests.rooms.gear.models import Speaker

NAME = "gear.notes"
SLOW = "gear.slow_notes"
LAZY = "gear.lazy_notes"
NAMES = (NAME, SLOW, LAZY)


def fill_notes(rows: QuerySet[Any]) -> int:
    """Write a note from the name. Done twice, the note would be longer."""
    return rows.update(notes=Concat(F("notes"), Value("note of "), F("name")))


def fill_slowly(rows: QuerySet[Any]) -> int:
    """Do the same and take a while, as something that is killed meanwhile does."""
    filled = fill_notes(rows)
    with connections[required().alias].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.15)")
    return filled


def fill_nothing(rows: QuerySet[Any]) -> int:
    """Claim to have filled something."""
    time.sleep(0)
    return 1


def register() -> None:
    """Register them."""
    functions = {NAME: fill_notes, SLOW: fill_slowly, LAZY: fill_nothing}
    for name, function in functions.items():
        registry.backfill(name, model=Speaker, since="gear.0001_initial", todo=Q(notes=""))(function)
