"""Questions that every request asks: compiled to SQL once, then asked with other values.

Django builds a statement anew each time, which for a question with a join or two takes a process longer than
the server takes to answer it. A prepared question keeps what was built, and puts the values of the moment
in their places:

    _OPEN = Prepared(
        lambda at, user_id: Job.objects.filter(user_id=user_id, due_at__lte=at).select_related("kind")[:1],
        at=MOMENT, user_id=KEY,
    )
    found = _OPEN(at=now, user_id=user.pk)

A statement fits every organisation, because it names no schema; one is kept for each set of columns that a
schema of the release before may lack (tenants.capabilities).
"""

import copy
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet, ImproperlyConfigured
from django.db import connections
from django.db.models import Model, QuerySet

from tenants import capabilities

Row = TypeVar("Row", bound=Model)

# Stand-ins, which occur in no question by themselves. What is asked later has the type of what stood in.
MOMENT = datetime(1907, 3, 11, 5, 17, 23, 490_771, tzinfo=UTC)
KEY = UUID("5f0c1e37-9a44-4d0b-8f62-c1d97e2ab013")
ANOTHER_KEY = UUID("a2d41b8c-36ff-4e19-9c05-7be8f0463d72")
TEXT = "\ue000 a text that nobody types \ue000"
BYTES = b"\xf5 bytes that nobody sends \xf5"


class Prepared(Generic[Row]):
    """A queryset of which only some values change, compiled when it is first asked.

    `build` gets the stand-ins by name and returns the queryset; slices, joins, annotations and prefetches
    may be in it. A value must not change what the statement looks like: none may be None. Raises
    ImproperlyConfigured for two equal stand-ins, and when it is first asked, for one that is nowhere,
    unless its name is in `optional`.
    """

    def __init__(
        self, build: Callable[..., QuerySet[Row]], *, optional: Collection[str] = (), **stand_ins: Any
    ) -> None:
        if len(set(stand_ins.values())) < len(stand_ins):
            raise ImproperlyConfigured("Two values have the same stand-in: they would be exchanged.")
        self._build = build
        self._stand_ins = stand_ins
        self._optional = frozenset(optional)
        self._kept: dict[frozenset[str], _Compiled[Row]] = {}

    def __call__(self, **values: Any) -> list[Row]:
        """Return the rows, in the plane of the current context.

        Raises TypeError for a value that is missing, unknown, or of another type than its stand-in.
        """
        self._check(values)
        lacking = capabilities.lacking()
        compiled = self._kept.get(lacking)
        if compiled is None:
            compiled = _Compiled(self._build(**self._stand_ins), self._stand_ins, self._optional)
            if lacking == capabilities.lacking():
                # Else the schema was migrated this very moment, and the statement may be of either kind.
                self._kept[lacking] = compiled
        return compiled.rows(values)

    def _check(self, values: dict[str, Any]) -> None:
        if values.keys() != self._stand_ins.keys():
            raise TypeError(f"{sorted(self._stand_ins)} are asked for, not {sorted(values)}.")
        for name, stand_in in self._stand_ins.items():
            if not isinstance(values[name], type(stand_in)):
                raise TypeError(f"{name} is a {type(stand_in).__name__}, not {values[name]!r}.")


class _Compiled(Generic[Row]):
    """The statement of a queryset, and the places of its values."""

    def __init__(self, queryset: QuerySet[Row], stand_ins: dict[str, Any], optional: frozenset[str]) -> None:
        self._queryset: Any = queryset
        self._compiler = self._queryset.query.get_compiler(using=self._queryset.db)
        self._finds_nothing = False
        try:
            self._sql, self._params = self._compiler.as_sql()
        except EmptyResultSet:
            self._finds_nothing = True
            return
        self._places = [(place, _name(param, stand_ins)) for place, param in enumerate(self._params)]
        unplaced = stand_ins.keys() - optional - {name for _, name in self._places}
        if unplaced:
            raise ImproperlyConfigured(f"{sorted(unplaced)} are nowhere in the statement: {self._sql}")

    def rows(self, values: dict[str, Any]) -> list[Row]:
        if self._finds_nothing:
            return []
        params = list(self._params)
        for place, name in self._places:
            if name:
                params[place] = _like(params[place], values[name])
        queryset = self._queryset.all()
        compiler = copy.copy(self._compiler)
        compiler.connection = connections[queryset.db]
        compiler.using = queryset.db
        compiler.as_sql = lambda *args, **kwargs: (self._sql, tuple(params))
        queryset.query.get_compiler = lambda *args, **kwargs: compiler
        return list(queryset)


def _name(param: Any, stand_ins: dict[str, Any]) -> str:
    """Return which value a parameter stands for; "" for one that is always the same."""
    plain = getattr(param, "obj", param)  # bytes are wrapped
    return next((name for name, one in stand_ins.items() if type(one) is type(plain) and one == plain), "")


def _like(param: Any, value: Any) -> Any:
    return type(param)(value) if hasattr(param, "obj") else value
