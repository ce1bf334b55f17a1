"""Why a change was not made, in words for the person who asked."""

from collections.abc import Mapping

from records.models import Record
from records.values import Canonical
from tenants.refusals import Refusal


class Invalid(Refusal):
    """Values do not fit the design. `errors` has a message for each field."""

    code = "invalid"
    status = 422
    message = "Some fields need another value."

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)


class Taken(Invalid):
    """Another record has the value of a unique field. `errors` says which."""

    code = "taken"
    status = 409
    message = "Another record has this value already."


class Conflict(Refusal):
    """Somebody changed the record since it was read.

    `theirs` is the record as it is now, `mine` the values that were to be kept, by key. Send the
    change again with `expected=theirs.version` to choose mine.
    """

    code = "conflict"
    status = 409
    message = "Somebody else changed this record meanwhile. Compare the two and choose."

    def __init__(self, *, theirs: Record, mine: Mapping[str, Canonical | None]) -> None:
        super().__init__()
        self.theirs = theirs
        self.mine = dict(mine)


class Gone(Refusal):
    """The record is in the bin, or deleted."""

    code = "gone"
    status = 410
    message = "This record is not there any more."


class CannotDesign(Refusal):
    """A change of a design that cannot be."""

    code = "cannot-design"
    status = 409
    message = "The collection cannot be changed like this."


class CannotUndo(Refusal):
    """There is nothing left to take back."""

    code = "cannot-undo"
    status = 409
    message = "This can no longer be undone."
