"""Placing an organisation on a release: an upgrade is a change of that field, and so is the way back."""

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.identity.models import User
from jobs import bells
from jobs.models import Lane
from operations.actions.states import note
from operations.models import OperatorAct
from tenants import hosts
from tenants.models import Organisation, Release, ReleaseState
from tenants.placement import Stop
from tenants.refusals import Refusal


class NoSuchRelease(Refusal):
    """The release is not one that organisations can be placed on."""

    code = "no-such-release"
    status = 422


def place_on_release(*, organisation: Organisation, to: str, reason: str, by: User | None) -> OperatorAct:
    """Let another release serve an organisation, from its next request on; `by` None is the command line.

    Requests under way are finished where they are, and long jobs go on in the other pool after their
    chunk. Raises NoSuchRelease when the release is unknown, withdrawn or has no pool, or is the same.
    """
    with transaction.atomic(using="control"):
        # Withdrawing it waits for this, or this for that.
        release = Release.objects.select_for_update().filter(name=to).first()
        if release is None or release.state != ReleaseState.OPEN:
            raise NoSuchRelease(f"Release {to} is not open. Choose one that is.")
        if not release.pool and to != settings.RELEASE:
            raise NoSuchRelease(f"Release {to} has no pool: nobody would be served. Give it one first.")
        locked = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
        if locked.release == to:
            raise NoSuchRelease(f"{locked.name} is on release {to} already.")
        if locked.placement().stops(Stop.ENTRY):
            raise NoSuchRelease(f"{locked.name} is {locked.state}.")
        before = str(locked.release)
        Organisation.objects.filter(pk=locked.pk).update(release=to)
        act = note(organisation=locked, act=f"release {to}", reason=f"From {before}: {reason}"[:300], by=by)
    hosts.forget()
    for lane in Lane.values:
        bells.ring(organisation.pk, lane, release=to)
    return act


def releases_for(organisation: Organisation) -> list[str]:
    """Return the releases that an organisation can be placed on: open, with somebody who serves."""
    serving = Release.objects.filter(~Q(pool="") | Q(name=settings.RELEASE), state=ReleaseState.OPEN)
    return list(serving.exclude(name=organisation.release).values_list("name", flat=True))


def organisations_on(release: str) -> int:
    """Return how many organisations a release serves."""
    return Organisation.objects.placed().filter(release=release).count()
