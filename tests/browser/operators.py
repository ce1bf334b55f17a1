"""An operator who has never signed in, and something to look at in the console: a run that is at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from accounts.identity.models import User
from operations.models import FleetRun, OperatorAct
from tenants.context import control_plane
from tests.conftest import PASSWORD

OPERATOR = "olga@enclave.example"


@dataclass(frozen=True, slots=True)
class AtWork:
    """Where the run is followed."""

    run: str


@contextmanager
def there() -> Iterator[AtWork]:
    """Have them for a block."""
    with control_plane():
        User.objects.create_superuser(OPERATOR, "Olga Sund", PASSWORD)
    run = FleetRun.objects.create(aim="of tests", total=200, migrated=50, ring="early")
    try:
        yield AtWork(f"/console/operations/fleetrun/{run.pk}/change/")
    finally:
        run.delete()
        OperatorAct.objects.filter(operator_label=OPERATOR).delete()
        with control_plane():
            User.objects.filter(email=OPERATOR).delete()
