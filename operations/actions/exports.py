"""Asking for an export of everything. It is written by operations.leaving, in a process of the owner's."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from operations.leaving.problems import CannotLeave
from operations.models import Erasure, Export, ExportStep
from tenants.models import Organisation

# Each reads everything there is, while others want to be served.
MOST_A_DAY = 5


def ask_export(organisation: Organisation, *, by: str) -> Export:
    """Write down that somebody wants everything in one file. Raises CannotLeave."""
    at = timezone.now()
    if organisation.exports.filter(asked_at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY:
        raise CannotLeave(f"{MOST_A_DAY} exports were asked for within a day. Come back tomorrow.")
    if Erasure.objects.past_return(organisation).exists():
        raise CannotLeave(f"The data of {organisation.name} is erased.")
    try:
        with transaction.atomic(using="control"):
            return Export.objects.create(organisation=organisation, asked_by=by, asked_at=at)
    except IntegrityError as problem:
        raise CannotLeave("An export is being written already.") from problem


def want_export(organisation: Organisation, *, by: str) -> None:
    """See that one is written, whatever there is already: what can be read now is the last word."""
    if not organisation.exports.filter(step=ExportStep.ASKED).exists():
        Export.objects.create(organisation=organisation, asked_by=by, asked_at=timezone.now())
