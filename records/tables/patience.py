"""How long a list may take that no index serves."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, transaction
from psycopg.errors import QueryCanceled

from records.statements import limit_statements
from records.tables.refusals import TooSlow

# Seconds. A person waits no longer, and the server has others to answer.
MOST = 10.0


@contextmanager
def patience() -> Iterator[None]:
    """End what takes too long, and say so. Raises TooSlow, leaving the transaction usable."""
    try:
        with transaction.atomic():
            limit_statements(MOST)
            yield
    except OperationalError as problem:
        if isinstance(problem.__cause__, QueryCanceled):
            raise TooSlow from problem
        raise
