"""Why an import does not go on, in words for the person who asked."""

from tenants.refusals import Refusal


class UploadRefused(Refusal):
    """The upload itself cannot be taken: empty, or too large."""

    code = "upload-refused"
    status = 422
    message = "This file cannot be taken."


class MappingRefused(Refusal):
    """The choices of columns and fields cannot be."""

    code = "mapping-refused"
    status = 422
    message = "The columns cannot go to the fields like this."


class NotAllowedAnyMore(Refusal):
    """The person for whom a job works lost the right that it needs."""

    code = "import-not-allowed"
    status = 403
    message = "You may not import into this collection any more. Nothing further was changed."


class CheckAgain(Refusal):
    """Something changed since the check, so that its outcome no longer holds."""

    code = "check-again"
    message = "Something changed since the file was checked. Check it again; nothing was imported."


class NotNow(Refusal):
    """The import is not in the state that this needs."""

    code = "import-not-now"
    message = "This import has gone on meanwhile. Look at it again."


class SameFile(Refusal):
    """The rows of this very file are in the collection already."""

    code = "import-same-file"
    message = "This file was imported already. Undo that import first, or say that you want it twice."
