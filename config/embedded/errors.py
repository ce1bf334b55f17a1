"""What an embedded server says when it cannot do its work."""


class CannotStart(Exception):
    """A server or the whole product cannot start; `str()` is one sentence that says what to do."""
