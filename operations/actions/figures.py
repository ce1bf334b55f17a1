"""Figures of the organisations that the console shows: counts, sizes and times, never a tenant's data.

Each sweep takes a slice, those whose figures are the oldest first, and ends when its time is over. So it
takes no longer with ten thousand organisations than with ten; the figures are older then, and the console
says how old.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic

from django.db import Error as DatabaseError
from django.db import connections
from django.db.models import F, Max, Q, Value
from django.db.models.functions import Greatest

from accounts.identity.models import Session, User
from tenants.breaker import ShardDown
from tenants.context import Actor, enter, on_shard
from tenants.models import Organisation

logger = logging.getLogger(__name__)

FRESH = timedelta(minutes=5)  # nobody is looked at more often
SLICE_SECONDS = 5.0  # of the 30 between two sweeps
_AT_ONCE = 1000


def refresh(*, at: datetime, most_seconds: float = SLICE_SECONDS) -> int:
    """Write size, active people and last activity of those longest not looked at; return how many it were.

    One that does not answer is passed over until the next time.
    """
    looked_at = 0
    down: set[str] = set()
    for organisation in _oldest(at, until=monotonic() + most_seconds):
        if organisation.shard_id in down:
            continue
        try:
            people, seen, size = _look_at(organisation)
        except ShardDown as problem:
            logger.warning("figures of its organisations were left: %s", problem)
            down.add(organisation.shard_id)
            continue
        except DatabaseError:
            logger.exception("the figures of %s could not be read", organisation.slug)
            continue
        # Sessions that have ended take their times with them, so the newest one known stays.
        last = Greatest("last_active_at", Value(seen)) if seen else organisation.last_active_at
        Organisation.objects.filter(pk=organisation.pk).update(
            people_count=people, size_bytes=size, last_active_at=last, figures_at=at
        )
        looked_at += 1
    return looked_at


def _oldest(at: datetime, *, until: float) -> Iterator[Organisation]:
    """Yield those whose figures are not fresh, the oldest first, while there is time."""
    stale = Q(figures_at=None) | Q(figures_at__lt=at - FRESH)
    placed = Organisation.objects.placed().exclude(domains=None).filter(stale)
    for organisation in placed.order_by(F("figures_at").asc(nulls_first=True), "pk")[:_AT_ONCE]:
        if monotonic() > until:
            return
        yield organisation


def _look_at(organisation: Organisation) -> tuple[int, datetime | None, int]:
    alias = str(organisation.shard_id)
    with enter(organisation, actor=Actor.system("Figures")):
        people = User.objects.filter(is_active=True).count()
        seen = Session.objects.exclude(user=None).aggregate(last=Max("last_seen_at"))["last"]
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT enclave.schema_bytes(%s)", (organisation.schema_name,))
        (size,) = cursor.fetchone()
    return people, seen, int(size)
