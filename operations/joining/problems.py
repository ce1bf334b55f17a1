"""Why organisations are not joined."""

from tenants.refusals import Refusal


class CannotJoin(Refusal):
    """They cannot be joined, or taken apart, like this; says why."""

    code = "cannot-join"
