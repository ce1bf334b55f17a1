"""The one column type of PostgreSQL that Django does not have."""

from typing import Any

from django.db import models


class Xid8Field(models.Field[int, int]):
    """A 64-bit transaction id, `xid8`; an int in Python."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        # As text: PostgreSQL has no comparison of xid8 with integers, but reads a literal as either.
        return None if value is None else str(int(value))
