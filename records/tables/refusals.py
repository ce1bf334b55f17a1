"""What a table cannot answer, in words for the person who asked."""

from tenants.refusals import Refusal


class BadQuery(Refusal):
    """The address asks for a field, a condition or a place in the list that does not exist."""

    code = "bad-query"
    status = 400
    message = "This list cannot be shown as asked. Clear the filters and try again."


class TooSlow(Refusal):
    """No index serves the question, and reading everything takes too long."""

    code = "too-slow"
    status = 503
    message = (
        "This list takes too long to put together. Clear a filter or the sorting, or make its fields quick."
    )


class NotPrepared(Refusal):
    """The index that the question needs is not there yet."""

    code = "not-prepared"
    status = 503
    message = "Search is being prepared for this collection. Try again in a minute."
