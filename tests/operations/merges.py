"""Merges as rows of the control plane, for tests of what stands around them."""

from datetime import timedelta

from django.utils import timezone

from operations.models import JoiningStep, Merge
from operations.models.joining import TAKEN
from tenants import hosts
from tenants.models import Organisation
from tenants.names import new_schema_name


def merged(absorbed: Organisation, into: Organisation, step: str = "found", **columns: object) -> Merge:
    """Write down a merge that Kim asked for and Lee approved, where somebody has; and close who is taken."""
    at = timezone.now() - timedelta(hours=1)
    waits = step in (JoiningStep.ASKED, JoiningStep.FOUND, JoiningStep.CANCELLED)
    known: dict[str, object] = {
        "step": step,
        "reason": "They are one company now",
        "asked_by": "kim@enclave.example",
        "asked_at": at,
        "approved_by": "" if waits else "lee@enclave.example",
        "approved_at": None if waits else at,
        "undo_until": at + timedelta(days=30) if step == JoiningStep.DONE else None,
        "state_before": "" if waits else "active",
        "staged": new_schema_name(),
        "shard": into.shard_id,
    }
    merge = Merge.objects.create(absorbed=absorbed, into=into, **{**known, **columns})
    if step in (*TAKEN, JoiningStep.CLOSED):
        Organisation.objects.filter(pk=absorbed.pk).update(state="gone", part_of=into)
        hosts.forget()
    return merge


def now(organisation: Organisation) -> Organisation:
    """Return an organisation as it is now: the one that tests share stays as it was."""
    return Organisation.objects.get(pk=organisation.pk)
