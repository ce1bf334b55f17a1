"""Registers the tables of the console."""

from accounts.identity.models import User
from operations.console.backfills import BackfillAdmin, BackfillStateAdmin
from operations.console.fleet import FleetRunAdmin, FleetStateAdmin
from operations.console.leaving import ErasureAdmin, ExportAdmin, ReturnAdmin
from operations.console.merging import MergeAdmin
from operations.console.organisations import OrganisationAdmin
from operations.console.others import (
    OperatorActAdmin,
    OperatorAdmin,
    ProvisioningAdmin,
    SignUpAdmin,
)
from operations.console.releases import QuestionAdmin, ReleaseAdmin
from operations.console.restores import BaseBackupAdmin, RestoreAdmin, RestoreDrillAdmin
from operations.console.shards import ShardAdmin
from operations.console.site import console
from operations.console.splitting import SplitAdmin
from operations.models import (
    Backfill,
    BackfillState,
    BaseBackup,
    Erasure,
    Export,
    FleetRun,
    FleetState,
    Merge,
    OperatorAct,
    Provisioning,
    Restore,
    RestoreDrill,
    Return,
    SignUp,
    Split,
)
from tenants.models import Organisation, QuestionState, Release, Shard

__all__ = ["console"]

console.register(Organisation, OrganisationAdmin)
console.register(Shard, ShardAdmin)
console.register(QuestionState, QuestionAdmin)
console.register(Release, ReleaseAdmin)
console.register(Provisioning, ProvisioningAdmin)
console.register(FleetState, FleetStateAdmin)
console.register(FleetRun, FleetRunAdmin)
console.register(BaseBackup, BaseBackupAdmin)
console.register(Restore, RestoreAdmin)
console.register(RestoreDrill, RestoreDrillAdmin)
console.register(Export, ExportAdmin)
console.register(Erasure, ErasureAdmin)
console.register(Return, ReturnAdmin)
console.register(Merge, MergeAdmin)
console.register(Split, SplitAdmin)
console.register(Backfill, BackfillAdmin)
console.register(BackfillState, BackfillStateAdmin)
console.register(OperatorAct, OperatorActAdmin)
console.register(SignUp, SignUpAdmin)
console.register(User, OperatorAdmin)
