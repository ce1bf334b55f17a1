"""Why a file was not taken, in words for the person who sent it."""

from tenants.refusals import Refusal


class FileRefused(Refusal):
    """A file that is too large, empty, or not of the kind that it says."""

    code = "file-refused"
    status = 422
    message = "This file cannot be attached."
