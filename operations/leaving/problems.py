"""Why somebody does not leave, or come back, like this."""

from tenants.refusals import Refusal


class CannotLeave(Refusal):
    """It cannot be exported or erased like this; says why."""

    code = "cannot-leave"


class CannotReturn(Refusal):
    """It cannot come back like this; says why."""

    code = "cannot-return"
