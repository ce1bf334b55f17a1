"""Registers the tables of the console."""

from accounts.identity.models import User
from operations.console.organisations import OrganisationAdmin
from operations.console.others import (
    FleetStateAdmin,
    OperatorActAdmin,
    OperatorAdmin,
    ProvisioningAdmin,
    ReleaseAdmin,
    ShardAdmin,
    SignUpAdmin,
)
from operations.console.site import console
from operations.models import FleetState, OperatorAct, Provisioning, SignUp
from tenants.models import Organisation, Release, Shard

__all__ = ["console"]

console.register(Organisation, OrganisationAdmin)
console.register(Shard, ShardAdmin)
console.register(Release, ReleaseAdmin)
console.register(Provisioning, ProvisioningAdmin)
console.register(FleetState, FleetStateAdmin)
console.register(OperatorAct, OperatorActAdmin)
console.register(SignUp, SignUpAdmin)
console.register(User, OperatorAdmin)
