"""Why an organisation is not brought back."""

from tenants.refusals import Refusal


class CannotRestore(Refusal):
    """It may not be restored like this; says why."""

    code = "cannot-restore"


class Busy(CannotRestore):
    """Another process is at it: nothing is wrong, and nothing to be done."""
