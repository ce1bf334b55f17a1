"""What the console's first page shows: organisations by state, what needs somebody, and the last acts."""

from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from operations.actions import backups
from operations.actions.shards import unregistered
from operations.console.meaning import state_badge
from operations.models import (
    BackfillState,
    Erasure,
    ErasureStep,
    FleetState,
    JoiningStep,
    Merge,
    OperatorAct,
    Progress,
    Provisioning,
    Restore,
    RestoreStep,
    ShardHealth,
    Split,
)
from records.files import storage
from tenants.models import Organisation
from tenants.placement import State
from tenants.schema import wanted_version

# What is in each table, in groups, in the order in which operators need them.
GROUPS = (
    (
        "Organisations",
        (
            (
                "tenants_organisation",
                "Organisations",
                "States, sizes, people, last activity; acts with a reason",
            ),
            ("operations_signup", "Sign-ups", "Who asked for one, and whether the address was confirmed"),
            ("operations_provisioning", "Makings", "How each came to be, and what went wrong"),
            ("operations_export", "Exports", "Everything of one organisation, for it to keep"),
            ("operations_erasure", "Erasures", "Data of who is gone: who waits for it, and the proofs"),
            ("operations_return", "Returns", "Who came back from an export"),
            ("operations_merge", "Merges", "Who became a part of whom, who waits for it, what can be undone"),
            ("operations_split", "Splits", "What became an organisation of its own, and what can be undone"),
            ("tenants_questionstate", "Questions", "Who has answered what only they can know"),
        ),
    ),
    (
        "Upgrades",
        (
            ("tenants_release", "Releases", "Which processes serve which organisations"),
            ("operations_fleetstate", "Migrations", "How far the schema of each organisation is"),
            ("operations_fleetrun", "Runs of migrations", "Who was reached when, and why a run stopped"),
            ("operations_backfill", "Backfills", "What is being filled everywhere, and how far it is"),
        ),
    ),
    (
        "Servers",
        (
            ("tenants_shard", "Shards", "Whether they answer, who is placed where, how full they are"),
            ("operations_basebackup", "Back-ups", "Copies of whole servers, to go back to any later moment"),
            (
                "operations_restore",
                "Brought back",
                "Organisations brought back to an earlier time, or waiting",
            ),
            ("operations_restoredrill", "Rehearsals", "Whether bringing back works, tried on copies"),
        ),
    ),
    (
        "Operators",
        (
            ("operations_operatoract", "Acts of operators", "Who did what, when and why"),
            ("identity_user", "Operators", "Who may come in here"),
        ),
    ),
)


def overview() -> dict[str, Any]:
    """Return what the first page shows."""
    counted = dict(Organisation.objects.order_by().values_list("state").annotate(Count("pk")))
    return {
        "states": [(state_badge(state), state.value, counted.get(state.value, 0)) for state in State],
        "wanting": [
            {**line, "what": line["what"][line["count"] != 1]} for line in _wanting() if line["count"]
        ],
        "groups": [
            (
                group,
                [(reverse(f"admin:{name}_changelist"), label, about) for name, label, about in tables],
            )
            for group, tables in GROUPS
        ],
        "acts": OperatorAct.objects.all()[:10],
    }


def _wanting() -> list[dict[str, Any]]:
    """Return what somebody has to look at, for one and for several, with where to look."""
    schemas = reverse("admin:operations_fleetstate_changelist")
    placed = FleetState.objects.exclude(organisation__state=State.GONE)
    return [
        {
            "count": placed.exclude(error="").count(),
            "what": ("organisation could not be migrated", "organisations could not be migrated"),
            "url": f"{schemas}?schema=failed",
        },
        {
            "count": placed.filter(error="").exclude(version=wanted_version()).count(),
            "what": ("organisation is behind with migrations", "organisations are behind with migrations"),
            "url": f"{schemas}?schema=behind",
        },
        {
            "count": placed.filter(error="").exclude(version=wanted_version()).exclude(waits="").count(),
            "what": (
                "of them waits for a backfill or the end of a move",
                "of them wait for a backfill or the end of a move",
            ),
            "url": f"{schemas}?schema=waits",
        },
        {
            "count": placed.exclude(differs="").count(),
            "what": ("schema differs from the template", "schemas differ from the template"),
            "url": f"{schemas}?schema=differs",
        },
        {
            "count": ShardHealth.objects.down().count(),
            "what": ("shard does not answer", "shards do not answer"),
            "url": reverse("admin:tenants_shard_changelist"),
        },
        {
            "count": ShardHealth.objects.full().count(),
            "what": ("shard has a disk that is full", "shards have a disk that is full"),
            "url": reverse("admin:tenants_shard_changelist"),
        },
        {
            "count": int(storage.is_full()),
            "what": ("disk for files is full: nothing can be uploaded",) * 2,
            "url": reverse("admin:tenants_shard_changelist"),
        },
        {
            "count": len(unregistered()),
            "what": (
                "shard of the environment is not prepared",
                "shards of the environment are not prepared",
            ),
            "url": reverse("admin:tenants_shard_changelist"),
        },
        {
            "count": BackfillState.objects.filter(state=Progress.FAILED).count(),
            "what": ("backfill failed in an organisation", "backfills failed in organisations"),
            "url": f"{reverse('admin:operations_backfillstate_changelist')}?state__exact=failed",
        },
        {
            "count": len(backups.without_recent(at=timezone.now())),
            "what": ("shard has no back-up of the last day", "shards have no back-up of the last day"),
            "url": reverse("admin:operations_basebackup_changelist"),
        },
        {
            "count": Restore.objects.filter(step=RestoreStep.ASKED).count(),
            "what": (
                "organisation waits for a second operator to be brought back",
                "organisations wait for a second operator to be brought back",
            ),
            "url": f"{reverse('admin:operations_restore_changelist')}?step__exact=asked",
        },
        {
            "count": Erasure.objects.filter(step=ErasureStep.ASKED).count(),
            "what": (
                "erasure waits for a second operator",
                "erasures wait for a second operator",
            ),
            "url": f"{reverse('admin:operations_erasure_changelist')}?step__exact=asked",
        },
        {
            "count": Erasure.objects.open().exclude(error="").count(),
            "what": ("erasure has not ended", "erasures have not ended"),
            "url": reverse("admin:operations_erasure_changelist"),
        },
        {
            "count": Merge.objects.filter(step=JoiningStep.FOUND).count(),
            "what": ("merge waits for a second operator", "merges wait for a second operator"),
            "url": f"{reverse('admin:operations_merge_changelist')}?step__exact=found",
        },
        {
            "count": Split.objects.filter(step=JoiningStep.FOUND).count(),
            "what": ("split waits for a second operator", "splits wait for a second operator"),
            "url": f"{reverse('admin:operations_split_changelist')}?step__exact=found",
        },
        {
            "count": Provisioning.objects.stuck(at=timezone.now()).count(),
            "what": ("making was begun and not finished", "makings were begun and not finished"),
            "url": reverse("admin:operations_provisioning_changelist"),
        },
    ]
