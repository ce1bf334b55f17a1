"""Fingerprints: whether each schema still is what its migrations made it.

A migration compares what it touched. This compares everything that the catalogue says of a schema with
the template of the same version, in a few milliseconds each; so a table that was changed by hand is found
within a day, and not by the next migration that fails over it. Needs the owner's login.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import F

from operations.fleet.looking import differing, digests_of
from operations.models import FleetState
from tenants.context import as_owner
from tenants.names import TEMPLATE_SCHEMA
from tenants.schema import version_at

logger = logging.getLogger(__name__)

LOOKED_AT_EVERY = timedelta(days=1)
AT_ONCE = 200  # a sweep's worth: about two seconds


def due(*, at: datetime) -> Iterable[FleetState]:
    """Return the states of the schemas that were not looked at for a day, the longest ago first."""
    placed = FleetState.objects.exclude(organisation__state="gone").select_related("organisation")
    old = placed.exclude(looked_at__gt=at - LOOKED_AT_EVERY)
    return old.order_by(F("looked_at").asc(nulls_first=True))[:AT_ONCE]


def take(states: Iterable[FleetState], *, at: datetime) -> Iterator[FleetState]:
    """Take the fingerprint of each schema, write it down, and yield it.

    A schema that cannot be reached is passed over until the next time; one at another version than the
    template is not compared.
    """
    first = settings.SHARD_ALIASES[0]
    with as_owner(first, TEMPLATE_SCHEMA):
        template, version = digests_of(first, TEMPLATE_SCHEMA), version_at(first, TEMPLATE_SCHEMA)
    for state in states:
        try:
            found, its_version = _look(state)
        except DatabaseError:
            logger.exception("schema of %s could not be looked at", state.organisation.slug)
            continue
        state.fingerprint, state.looked_at = _fingerprint(found), at
        state.differs = ", ".join(differing(template, found)) if its_version == version else ""
        state.save(update_fields=["fingerprint", "looked_at", "differs"])
        yield state


def _look(state: FleetState) -> tuple[dict[str, str], str]:
    alias, schema = str(state.organisation.shard_id), str(state.organisation.schema_name)
    with as_owner(alias, schema):
        return digests_of(alias, schema), version_at(alias, schema)


def _fingerprint(digests: Mapping[str, str]) -> str:
    lines = "\n".join(f"{name} {digest}" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
