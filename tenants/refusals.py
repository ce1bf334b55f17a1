"""Refusals: a product rule said no. Not a bug, so no stack trace; `str()` may be shown to the person."""


class Refusal(Exception):
    """Base of all refusals.

    `code` is stable and may be used by programs, `status` is the HTTP status of the answer,
    `str()` is a sentence for the person who asked.
    """

    code = "refused"
    status = 409
    message = "This is not possible right now."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class OrganisationClosed(Refusal):
    """The organisation's state stops what was asked for."""

    code = "organisation-closed"
    status = 403
    message = "This organisation is leaving. Everything in it can be read; nothing can be changed any more."
