"""What is looked after every hour: the directory of addresses, and sessions that have ended."""

import logging

from django.db import Error as DatabaseError
from django.utils import timezone

from accounts.actions.directory import repair
from accounts.identity.models import Session
from jobs import sweeps
from tenants.context import Actor, control_plane, enter
from tenants.models import Organisation
from tenants.placement import Stop

logger = logging.getLogger(__name__)


def tidy() -> int:
    """Mend the directory and delete ended sessions, organisation by organisation; return how many were seen.

    One that does not answer is passed over until the next hour.
    """
    with control_plane():
        Session.objects.over(at=timezone.now()).delete()
        organisations = list(Organisation.objects.placed())
    seen = 0
    for organisation in organisations:
        if organisation.placement().stops(Stop.ENTRY):
            continue
        try:
            repair(organisation)
            with enter(organisation, actor=Actor.system("tidying sessions")):
                Session.objects.over(at=timezone.now()).delete()
        except DatabaseError:
            logger.exception("%s could not be tidied", organisation.slug)
            continue
        seen += 1
    return seen


sweeps.add("accounts.tidy", every_seconds=3600, run=tidy)
