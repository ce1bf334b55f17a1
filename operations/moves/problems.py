"""What can keep a move from going on."""

from tenants.refusals import Refusal


class CannotMove(Refusal):
    """The move cannot be made, or not go on; before the switch everything is put back."""

    code = "cannot-move"


class NotTheSame(CannotMove):
    """The copy differs from the original; says in which table and which row."""

    code = "move-not-the-same"


class NotYet(Exception):
    """The switch would take too long just now; nothing was changed, and it is tried again."""


class MoveBusy(CannotMove):
    """Another process is working on the move."""

    code = "move-busy"
    message = "Another process is working on this move already."
