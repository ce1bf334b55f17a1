"""An organisation lives elsewhere than a process believes: the shard says so, and the process looks again."""

from django.db import DatabaseError, OperationalError

_SQLSTATE = "EN021"  # raised by enclave.admit


class Moved(OperationalError):
    """The shard did not let a transaction in: the organisation is not there, or not at that epoch."""


def raise_if_moved(problem: DatabaseError) -> None:
    """Raise Moved if it was the shard's placement that said no."""
    if getattr(problem.__cause__, "sqlstate", None) == _SQLSTATE:
        raise Moved(str(problem)) from problem
