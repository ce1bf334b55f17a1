"""Registers the tables of the console."""

from accounts.identity.models import User
from operations.console.backfills import BackfillAdmin, BackfillStateAdmin
from operations.console.organisations import OrganisationAdmin
from operations.console.others import (
    FleetStateAdmin,
    OperatorActAdmin,
    OperatorAdmin,
    ProvisioningAdmin,
    ShardAdmin,
    SignUpAdmin,
)
from operations.console.site import console
from operations.models import Backfill, BackfillState, FleetState, OperatorAct, Provisioning, SignUp
from tenants.models import Organisation, Shard

__all__ = ["console"]

console.register(Organisation, OrganisationAdmin)
console.register(Shard, ShardAdmin)
console.register(Provisioning, ProvisioningAdmin)
console.register(FleetState, FleetStateAdmin)
console.register(Backfill, BackfillAdmin)
console.register(BackfillState, BackfillStateAdmin)
console.register(OperatorAct, OperatorActAdmin)
console.register(SignUp, SignUpAdmin)
console.register(User, OperatorAdmin)
