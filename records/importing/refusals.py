"""Why a file cannot be read at all. Reasons for single rows are `convert.Refused`."""

from tenants.refusals import Refusal


class Unreadable(Refusal):
    """The file as a whole is refused; nothing was changed.

    `code` is for programs, `str()` a plain sentence for the person, `line` the line of the file
    (the first is 1) where there is one to look at.
    """

    status = 422

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.line = line
