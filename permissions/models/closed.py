"""Closed doors: rows that only the actions of this room may write."""

from typing import Any, NoReturn, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class WriteRefused(RuntimeError):
    """Code outside `permissions.actions` tried to write rows that have rules."""


class ReadOnlyQuerySet(models.QuerySet[Row]):
    """Sets of rows that may be read by everybody and written by nobody.

    The actions use the model's other manager, `writer`.
    """

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise WriteRefused(f"{self.model.__name__} is written by permissions.actions only.")

    create = _refuse
    bulk_create = _refuse
    bulk_update = _refuse
    update = _refuse
    delete = _refuse
