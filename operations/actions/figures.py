"""Figures of the organisations that the console shows: counts, sizes and times, never a tenant's data."""

import logging
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import connections
from django.db.models import Max, Value
from django.db.models.functions import Greatest

from accounts.identity.models import Session, User
from tenants.breaker import ShardDown
from tenants.context import Actor, enter, on_shard
from tenants.models import Organisation

logger = logging.getLogger(__name__)


def refresh() -> int:
    """Write size, active people and last activity of every organisation; return how many were looked at.

    One that does not answer is passed over until the next time.
    """
    looked_at = 0
    down: set[str] = set()
    for organisation in Organisation.objects.placed().exclude(domains=None).iterator():
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
            people_count=people, size_bytes=size, last_active_at=last
        )
        looked_at += 1
    return looked_at


def _look_at(organisation: Organisation) -> tuple[int, datetime | None, int]:
    alias = str(organisation.shard_id)
    with enter(organisation, actor=Actor.system("Figures")):
        people = User.objects.filter(is_active=True).count()
        seen = Session.objects.exclude(user=None).aggregate(last=Max("last_seen_at"))["last"]
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT enclave.schema_bytes(%s)", (organisation.schema_name,))
        (size,) = cursor.fetchone()
    return people, seen, int(size)
