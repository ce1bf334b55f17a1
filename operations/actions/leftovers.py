"""Content of files and uploads that nothing names: once a day for each organisation, some in each sweep.

An organisation is left out while a restore works on it, and while the schema that a restore replaced is kept:
that one names content, too, and may be exchanged back.
"""

import logging
from datetime import datetime

from django.db import Error as DatabaseError

from operations.models import Restore
from records.files import storage
from records.imports import store
from tenants.context import Actor, enter
from tenants.models import Organisation

logger = logging.getLogger(__name__)
EVERY_SECONDS = 600
_SWEEPS_A_DAY = 24 * 3600 // EVERY_SECONDS


def sweep(*, at: datetime) -> int:
    """Sweep the folders of those organisations whose turn it is; return how many files went."""
    turn = int(at.timestamp()) // EVERY_SECONDS % _SWEEPS_A_DAY
    kept = Restore.objects.unfinished() | Restore.objects.exclude(other_schema="")
    placed = Organisation.objects.placed().exclude(domains=None)
    everybody = placed.exclude(pk__in=kept.values("organisation_id")).values_list("pk", flat=True)
    # By the end of the id, which is random: the same part of them each time.
    mine = [one for one in everybody.distinct() if one.int % _SWEEPS_A_DAY == turn]
    return sum(_sweep(organisation, at) for organisation in Organisation.objects.filter(pk__in=mine))


def _sweep(organisation: Organisation, at: datetime) -> int:
    """Sweep one organisation's folder. One in trouble stops no other."""
    try:
        with enter(organisation, actor=Actor.system("Enclave")):
            gone = store.sweep(at=at)
            place, named = storage.folder(), storage.named()
        return gone + (storage.sweep(place, named, at=at) if place.exists() else 0)
    except (DatabaseError, OSError):
        logger.exception("the files of %s were not swept", organisation.slug)
        return 0
