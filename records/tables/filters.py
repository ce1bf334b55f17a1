"""Filters: a column, a condition and its values, from the address to SQL."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from urllib.parse import unquote

from django.db.models import Q
from django.db.models.functions import Lower

from records.tables import expressions as sql
from records.tables.columns import Column, to_canonical
from records.tables.operators import TEXT_LIKE, Op
from records.tables.refusals import BadQuery
from records.values import Canonical, FieldType, Wrong, parser_for
from records.values.moments import moment, read_date

MOST_VALUES = 50
LONGEST = 1000  # characters of one value
_TO_THE_MINUTE = re.compile(r"\d{1,2}:\d{2}(\s*[AaPp]\.?[Mm]\.?)?$")


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter as people set it: `values` are texts as typed, checked by `condition`."""

    key: str
    op: Op
    values: tuple[str, ...] = ()

    def param(self) -> str:
        """Return the filter as a parameter `f` of the address."""
        if self.op.takes in (0, 1):
            return f"{self.key}:{self.op.value}:{''.join(self.values)}"
        kept = [value.replace("%", "%25").replace(",", "%2C") for value in self.values]
        return f"{self.key}:{self.op.value}:{','.join(kept)}"

    @classmethod
    def parse(cls, param: str) -> "Filter":
        """Read what `param` wrote. Raises BadQuery."""
        key, _, rest = param.partition(":")
        code, _, value = rest.partition(":")
        try:
            op = Op(code)
        except ValueError:
            raise BadQuery(f"A filter in this address has no condition called “{code[:20]}”.") from None
        if op.takes == 0:
            return cls(key, op)
        if op.takes == 1:
            return cls(key, op, (value,))
        return cls(key, op, tuple(unquote(part) for part in value.split(",")))


def condition(column: Column, asked: Filter, *, zone: tzinfo = UTC) -> Q:
    """Return the condition of a filter. Days of moments are days in `zone`.

    Raises BadQuery for a condition that the type does not know, or values that cannot be read.
    """
    if asked.op not in column.operators:
        raise BadQuery(f"{column.name} cannot be asked whether it “{asked.op.label}” something.")
    if asked.op is Op.EMPTY:
        return Q(sql.IsNull(column.place.order()))
    if asked.op is Op.FILLED:
        return Q(sql.IsNotNull(column.place.order()))
    values = _checked(column, asked)
    return _BUILDERS.get(column.type, _scalar)(column, asked.op, values, zone)


def _checked(column: Column, asked: Filter) -> tuple[str, ...]:
    """Return the values, as many as the condition takes."""
    values = tuple(value.strip().replace("\x00", "") for value in asked.values)
    wanted = asked.op.takes
    if wanted == -1:
        values = tuple(value for value in values if value)
    ends_open = asked.op is Op.BETWEEN and len(values) == 2 and any(values)
    if not values or (not all(values) and not ends_open) or (wanted > 0 and len(values) != wanted):
        raise BadQuery(f"Say what {column.name} is compared with.")
    if len(values) > MOST_VALUES or any(len(value) > LONGEST for value in values):
        raise BadQuery(f"The filter of {column.name} is too long.")
    return values


def _parse(column: Column, value: str, zone: tzinfo) -> Canonical:
    try:
        found = parser_for(column.spec, zone=zone)(value)
    except Wrong as refusal:
        raise BadQuery(f"{column.name}: {refusal}") from None
    if found is None:
        raise BadQuery(f"Say what {column.name} is compared with.")
    return found


def _any(conditions: Sequence[Q]) -> Q:
    total = conditions[0]
    for one in conditions[1:]:
        total |= one
    return total


_COMPARISONS = {
    Op.IS: "=",
    Op.IS_NOT: "IS DISTINCT FROM",
    Op.OVER: ">",
    Op.AFTER: ">",
    Op.UNDER: "<",
    Op.BEFORE: "<",
}


def _scalar(column: Column, op: Op, values: tuple[str, ...], zone: tzinfo) -> Q:
    left = column.place.order()
    right = [column.place.literal(_parse(column, value, zone)) if value else None for value in values]
    if op is Op.ANY:
        return _any([Q(sql.Compare(left, "=", one)) for one in right])
    if op is Op.BETWEEN:
        low, high = right
        found = Q()
        if low is not None:
            found &= Q(sql.Compare(left, ">=", low))
        if high is not None:
            found &= Q(sql.Compare(left, "<=", high))
        return found
    return Q(sql.Compare(left, _COMPARISONS[op], right[0]))


def _text(column: Column, op: Op, values: tuple[str, ...], zone: tzinfo) -> Q:
    place, value = column.place, values[0]
    if op is Op.ANY:
        return _any([_text(column, Op.IS, (one,), zone) for one in values])
    if op is Op.CONTAINS:
        return Q(sql.Compare(Lower(place.text()), "LIKE", sql.pattern(value, inside=True)))
    whole = len(value) >= sql.COMPARED  # the compared beginning does not decide
    if op is Op.STARTS:
        left = Lower(place.text()) if whole else place.order()
        return Q(sql.Compare(left, "LIKE", sql.pattern(value, inside=False)))
    sign = _COMPARISONS[op]
    if not whole:
        return Q(sql.Compare(place.order(), sign, place.literal(value)))
    exact = Q(sql.Compare(Lower(place.text()), sign, sql.lowered(value)))
    begins = Q(sql.Compare(place.order(), sign, place.literal(value)))
    return begins & exact if op is Op.IS else begins | exact


def _members(column: Column, op: Op, values: tuple[str, ...], zone: tzinfo) -> Q:
    codes: list[str] = []
    for value in values:
        found = _parse(column, value, zone)
        codes.extend(found if isinstance(found, list) else [str(found)])
    return _any([Q(column.place.members(code)) for code in codes])


def _span(column: Column, value: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first moment of what was typed and the first after it: a day, a minute or an instant."""
    day = read_date(value, column.spec.option("date_order", ""))
    if day is not None:
        start = datetime.combine(day, time(), tzinfo=zone)
        return start, datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    try:
        start = datetime.fromisoformat(moment(value, zone=zone, order=column.spec.option("date_order", "")))
    except Wrong as refusal:
        raise BadQuery(f"{column.name}: {refusal}") from None
    step = timedelta(minutes=1) if _TO_THE_MINUTE.search(value) else timedelta(microseconds=1)
    return start, start + step


def _moments(column: Column, op: Op, values: tuple[str, ...], zone: tzinfo) -> Q:
    left = column.place.order()

    def at(point: datetime, sign: str) -> Q:
        found = to_canonical(FieldType.DATETIME, point)
        return Q(sql.Compare(left, sign, column.place.literal(str(found))))

    try:
        spans = [_span(column, value, zone) if value else None for value in values]
        first, last = spans[0], spans[-1]
        if op is Op.BETWEEN:
            low = at(first[0], ">=") if first else Q()
            return low & (at(last[1], "<") if last else Q())
        if first is None:
            raise BadQuery(f"Say what {column.name} is compared with.")
        start, end = first
        if op is Op.BEFORE:
            return at(start, "<")
        if op is Op.AFTER:
            return at(end, ">=")
        if op is Op.IS:
            return at(start, ">=") & at(end, "<")
        return at(start, "<") | at(end, ">=") | Q(sql.IsNull(left))
    except OverflowError:
        raise BadQuery(f"{column.name}: this date is too far away.") from None


_Builder = Callable[[Column, Op, tuple[str, ...], tzinfo], Q]
_BUILDERS: dict[FieldType, _Builder] = {
    **dict.fromkeys(TEXT_LIKE, _text),
    FieldType.CHOICES: _members,
    FieldType.DATETIME: _moments,
}
