"""What becomes of values when their field changes: said before it is done, and then done alike."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from records.actions.linking import records_named
from records.models import Field, Record
from records.statements import repeated_values
from records.tables.expressions import json_value
from records.values import Canonical, FieldSpec, FieldType, Wrong, parser_for
from records.values.codec import number_text
from records.values.numbers import number

# More records than this are converted by a job.
CONVERTED_AT_ONCE = 2_000
Convert = Callable[[Canonical], Canonical | None]
NO_LINKS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a change of a field will do with the data in it.

    `emptied` of `total` values do not fit and would be emptied, `converted` are written anew;
    `refusals` say why the change cannot be made; `is_large` that a job does it.
    """

    total: int
    converted: int
    emptied: int
    sentences: tuple[str, ...]
    refusals: tuple[str, ...]
    is_large: bool

    @property
    def is_harmless(self) -> bool:
        """Whether nobody needs to be asked."""
        return not self.emptied and not self.refusals


def preview(
    field: Field, new: FieldSpec, *, zone: tzinfo = UTC, by: UUID | None = None, at: datetime | None = None
) -> Consequences:
    """Return what changing a field to `new` would do. Reads each different value once; changes nothing.

    Links are found for the person `by`.
    """
    old, values = field.spec(), list(_different_values(field))
    links = links_for(old, new, (value for value, _ in values), by=by, at=at or timezone.now())
    convert = converter(old, new, zone=zone, links=links)
    total = converted = emptied = 0
    for value, count in values:
        total += count
        kept = convert(value)
        emptied += count if kept is None else 0
        converted += count if kept is not None and kept != value else 0
    records = field.collection.record_count()
    missing = records - (total - emptied)
    sentences: list[str] = []
    if emptied:
        sentences.append(f"{emptied:,} of {total:,} values {_unfit(new)} and would be emptied.")
    if converted:
        sentences.append(f"{converted:,} of {total:,} values would {_becoming(new)}.")
    if new.required and not old.required and missing:
        sentences.append(
            f"{missing:,} of {records:,} records have no value; they stay as they are until they are changed."
        )
    return Consequences(
        total=total,
        converted=converted,
        emptied=emptied,
        sentences=tuple(sentences),
        refusals=tuple(_refusals(field, new, changed=bool(emptied or converted))),
        is_large=bool(emptied or converted) and records > CONVERTED_AT_ONCE,
    )


def _different_values(field: Field) -> Iterable[tuple[Canonical, int]]:
    rows = Record.objects.filter(collection_id=field.collection_id)
    value = json_value(field.key)
    found = rows.filter(values__has_key=field.key).annotate(kept=value).order_by()
    return found.values("kept").annotate(count=Count("pk")).values_list("kept", "count")


def _refusals(field: Field, new: FieldSpec, *, changed: bool) -> Iterable[str]:
    if new.unique and not field.unique:
        if changed:
            yield "Change the type first, and make the field unique afterwards."
        elif repeated := repeated_values(field):
            yield f"{repeated:,} values are used by several records, so the field cannot be unique."
    if new.unique and field.unique and changed:
        yield "Switch off unique values first: two values may become the same."


def _becoming(new: FieldSpec) -> str:
    if new.type is FieldType.RECORD:
        return f"become links to {new.option('collection_name', '') or 'records'}"
    return f"be written as {new.type.label.lower()}"


def _unfit(new: FieldSpec) -> str:
    if new.type is FieldType.RECORD:
        return f"match nothing in {new.option('collection_name', '') or 'the collection'}"
    return {
        FieldType.INTEGER: "are not whole numbers",
        FieldType.DECIMAL: "are not numbers",
        FieldType.MONEY: "are not amounts",
        FieldType.YES_NO: "are neither yes nor no",
        FieldType.DATE: "are not dates",
        FieldType.TIME: "are not times",
        FieldType.DATETIME: "are not dates and times",
        FieldType.CHOICE: "are not among the choices",
        FieldType.CHOICES: "are not among the choices",
        FieldType.EMAIL: "are not e-mail addresses",
        FieldType.LINK: "are not web addresses",
    }.get(new.type, "do not fit")


def becomes_link(old: FieldSpec, new: FieldSpec) -> bool:
    """Return whether values are to become links by what they name."""
    return new.type is FieldType.RECORD and not old.type.is_reference


def links_for(
    old: FieldSpec, new: FieldSpec, values: Iterable[Canonical], *, by: UUID | None, at: datetime
) -> Mapping[str, str]:
    """Return the records that some values of `old` name, if they are to become links."""
    if not becomes_link(old, new):
        return NO_LINKS
    say = _speaker(old, new)
    return records_named({str(say(value)).strip() for value in values}, new, by=by, at=at)


def converter(
    old: FieldSpec, new: FieldSpec, *, zone: tzinfo = UTC, links: Mapping[str, str] = NO_LINKS
) -> Convert:
    """Return the function from a kept value of `old` to one of `new`, or None where it does not fit.

    `links` are what `links_for` found for these values.
    """
    if becomes_link(old, new):
        say = _speaker(old, new)
        return lambda value: links.get(str(say(value)).strip())
    if old.type.is_reference or new.type.is_reference:
        same = old.type is new.type and old.option("collection", "") == new.option("collection", "")
        return (lambda value: value) if same else (lambda value: None)
    parse, spoken = parser_for(new, zone=zone), _speaker(old, new)

    def convert(value: Canonical) -> Canonical | None:
        try:
            return parse(spoken(value))
        except Wrong:
            return None

    return convert


def _speaker(old: FieldSpec, new: FieldSpec) -> Callable[[Canonical], object]:
    """Return how a kept value is said, so that the new type can read it."""
    labels = {choice.code: choice.label for choice in old.choices}
    codes = {choice.code for choice in new.choices}

    def code_or_label(code: str) -> str:
        return code if code in codes else labels.get(code, code)

    def say(value: Canonical) -> object:
        if isinstance(value, list):
            said = [code_or_label(code) for code in value]
            if new.type is FieldType.CHOICES:
                return said
            return said[0] if new.type is FieldType.CHOICE and len(said) == 1 else "; ".join(said)
        if isinstance(value, bool):
            return value if new.type is FieldType.YES_NO else ("Yes" if value else "No")
        if (amount := number(value)) is not None and not isinstance(value, str):
            return amount if new.type.is_number else number_text(amount)
        if old.type in (FieldType.CHOICE, FieldType.CHOICES):
            return code_or_label(str(value))
        return _shorter(old, new, str(value))

    return say


def _shorter(old: FieldSpec, new: FieldSpec, text: str) -> str:
    """Take the day or the time of a moment; long text on one line where one line is all there is."""
    if old.type is FieldType.DATETIME and new.type is FieldType.DATE:
        return text[:10]
    if old.type is FieldType.DATETIME and new.type is FieldType.TIME:
        return text[11:].rstrip("Z")
    if old.type is FieldType.LONG_TEXT and new.type is not FieldType.LONG_TEXT:
        return " ".join(text.split())
    return text
