"""What is looked after every hour: people who have left, the directory of addresses, ended sessions."""

import logging

from django.db import Error as DatabaseError
from django.utils import timezone

from accounts.actions.directory import repair
from accounts.identity.models import Session
from jobs import sweeps
from permissions.actions.memberships import shut_out_leavers
from tenants.context import Actor, control_plane, enter
from tenants.models import Organisation
from tenants.placement import Stop

logger = logging.getLogger(__name__)


def tidy() -> int:
    """Shut leavers out, mend the directory, delete ended sessions; return how many organisations were seen.

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
            with enter(organisation, actor=Actor.system("tidying")):
                if not organisation.placement().stops(Stop.CHANGES):
                    shut_out_leavers(at=timezone.now())
                Session.objects.over(at=timezone.now()).delete()
            repair(organisation)
        except DatabaseError:
            logger.exception("%s could not be tidied", organisation.slug)
            continue
        seen += 1
    return seen


sweeps.add("accounts.tidy", every_seconds=3600, run=tidy)
