"""An operator who has never signed in, one who has, and something to look at: a run that is at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings

from accounts.identity.models import User
from operations.models import FleetRun, OperatorAct
from tenants.context import control_plane
from tests.conftest import PASSWORD
from tests.people import operator_signed_in

OPERATOR, COLLEAGUE = "olga@enclave.example", "otto@enclave.example"


@dataclass(frozen=True, slots=True)
class AtWork:
    """Where the run is followed, and the cookie of the operator who is signed in."""

    run: str
    cookie: str


@contextmanager
def there() -> Iterator[AtWork]:
    """Have them for a block."""
    with control_plane():
        User.objects.create_superuser(OPERATOR, "Olga Sund", PASSWORD)
        TOTP.activate(User.objects.create_superuser(COLLEAGUE, "Otto Vik", PASSWORD), generate_totp_secret())
    cookie = operator_signed_in(COLLEAGUE).cookies[settings.SESSION_COOKIE_NAME].value
    run = FleetRun.objects.create(aim="of tests", total=200, migrated=50, ring="early")
    try:
        yield AtWork(f"/console/operations/fleetrun/{run.pk}/change/", cookie)
    finally:
        run.delete()
        OperatorAct.objects.filter(operator_label=OPERATOR).delete()
