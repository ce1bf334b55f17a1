"""A design out of a file, before anybody has opened a design screen."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from records.importing.names import collection_name, human_name, key_for, plain_key
from records.importing.source import Source
from records.importing.survey import EXAMPLES, LONG, NONE, ColumnSurvey
from records.values import Choice, FieldSpec, FieldType

MOST_CHOICES = 40
CHOICE_LENGTH = 60  # characters
REPETITION = 5  # a choice is used this often at the least, on average
LINK_SHARE, NAMED_LINK_SHARE = 0.9, 0.5  # of the distinct values; less if the column has the key's name
FEWEST_LINKED = 3
FEWEST_UNIQUE = 10  # rows
_NAMES = frozenset({"name", "title", "full_name", "label", "subject"})
_KEY_LIKE = re.compile(r"(?:.*_)?(?:id|code|key|no|nr|number|slug|email|uuid|sku|isbn)")


class ExistingCollection(Protocol):
    """A collection that a column may link to, by one field whose values name its records."""

    @property
    def id(self) -> str:
        """Return the id that the proposal gives back."""

    @property
    def name(self) -> str:
        """Return the name for people."""

    @property
    def key(self) -> str:
        """Return the key of the field that names its records, such as "tailnum"."""

    def contains(self, values: Iterable[str]) -> int:
        """Return how many of the values name a record."""


@dataclass(frozen=True, slots=True)
class ProposedLink:
    """Where a column leads. Counts are distinct values."""

    collection: str
    name: str
    key: str
    matched: int
    unmatched: int


@dataclass(frozen=True, slots=True)
class ProposedField:
    """What a column would become, and what was seen in it."""

    column: str
    spec: FieldSpec
    markers: frozenset[str]  # texts that mean "empty"
    filled: int
    empty: int
    examples: tuple[str, ...]
    link: ProposedLink | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A design for a collection, and what `convert.check` needs to fill it."""

    name: str
    fields: tuple[ProposedField, ...]
    title: str  # the column that names the records, "" where none does
    rows: int
    ragged: int
    warnings: tuple[str, ...]

    @property
    def mapping(self) -> Mapping[str, FieldSpec]:
        """Return the field of each column."""
        return MappingProxyType({one.column: one.spec for one in self.fields})

    @property
    def markers(self) -> Mapping[str, frozenset[str]]:
        """Return for each column the texts that mean "empty"."""
        return MappingProxyType({one.column: one.markers for one in self.fields})


def propose(source: Source, existing: Sequence[ExistingCollection] = ()) -> Proposal:
    """Look at the whole file and propose a collection for it."""
    surveys = [ColumnSurvey(column) for column in source.headers]
    ragged = 0
    for table in source.tables():
        ragged += len(table.ragged)
        for at, survey in enumerate(surveys):
            survey.look(table.cells[str(at)])
    in_use = {mark for survey in surveys if survey.chosen for mark in survey.markers}
    keys = _unique_columns(surveys)
    fields: list[ProposedField] = []
    for survey in surveys:
        taken = {one.spec.key for one in fields}
        fields.append(_field(survey, key_for(survey.column, taken), in_use, survey.column in keys, existing))
    warnings = [*source.warnings, *_warnings(surveys, fields, ragged)]
    name = collection_name(source.filename)
    return Proposal(name, tuple(fields), _title(name, fields), source.rows, ragged, tuple(warnings))


def _title(name: str, fields: Sequence[ProposedField]) -> str:
    """Return the column by which people would call a record.

    A name goes before a key: "Newark Liberty" says more than "EWR". A flight has a number, not a name.
    """
    texts = [one for one in fields if one.spec.type is FieldType.TEXT]
    numbers = [one for one in fields if one.spec.type is FieldType.INTEGER]
    thing = plain_key(name).removesuffix("s")
    ways = (
        [one for one in texts if plain_key(one.column) in {*_NAMES, thing, f"{thing}_name"}],
        [one for one in texts if one.spec.unique],
        [one for one in numbers if plain_key(one.column) in {thing, f"{thing}_number", f"{thing}_no"}],
        texts,
        [one for one in numbers if one.spec.unique],
    )
    return next((way[0].column for way in ways if way), "")


def _unique_columns(surveys: Sequence[ColumnSurvey]) -> set[str]:
    """Return the columns that name their row: never empty, never repeated, and looking like a key."""
    able = {
        survey.column
        for survey in surveys
        if survey.unique
        and survey.cells >= FEWEST_UNIQUE
        and survey.longest <= LONG
        and (survey.chosen is None or survey.chosen.type in (FieldType.INTEGER, FieldType.EMAIL))
    }
    first = surveys[0].column if surveys else ""
    named = {column for column in able if column == first or _KEY_LIKE.fullmatch(plain_key(column))}
    return named or (able if len(able) == 1 else set())


def _field(
    survey: ColumnSurvey, key: str, in_use: set[str], unique: bool, existing: Sequence[ExistingCollection]
) -> ProposedField:
    chosen = survey.chosen
    markers = frozenset(survey.markers) if chosen else survey.text_markers(in_use)
    filled = (
        survey.filled if chosen else survey.cells - survey.empty - sum(survey.markers[m] for m in markers)
    )
    link = None if unique else _link(survey, existing)
    choices: tuple[Choice, ...] = ()
    options: Mapping[str, object] = chosen.options if chosen else NONE
    if link is not None:
        kind = FieldType.RECORD
        options = {"collection": link.collection, "collection_name": link.name, "key": link.key}
    elif chosen is not None:
        kind = chosen.type
    else:
        choices = _choices(survey, markers, filled)
        long = survey.lines or survey.longest > LONG
        kind = FieldType.CHOICE if choices else FieldType.LONG_TEXT if long else FieldType.TEXT
    spec = FieldSpec(
        key=key,
        name=human_name(survey.column),
        type=kind,
        required=filled == survey.cells and not (link and link.unmatched),
        unique=unique,
        choices=choices,
        options=options,
    )
    shown = sorted(survey.values, key=lambda text: (len(text), text)) if survey.values else survey.examples
    examples = tuple(shown[:EXAMPLES])
    return ProposedField(
        survey.column, spec, markers, filled, survey.cells - filled, examples, link, _note(survey, link)
    )


def _note(survey: ColumnSurvey, link: ProposedLink | None) -> str:
    if link is not None and link.unmatched:
        total = link.matched + link.unmatched
        return f"{link.unmatched:,} of {total:,} values match nothing in {link.name}."
    if survey.ambiguous_dates:
        return "Dates such as 03/04/2026 are read with the day first. Change the order if that is wrong."
    return ""


def _choices(survey: ColumnSurvey, markers: frozenset[str], filled: int) -> tuple[Choice, ...]:
    if survey.values is None or survey.lines or survey.longest > CHOICE_LENGTH:
        return ()
    values = sorted(survey.values | {mark.strip() for mark in survey.markers if mark not in markers})
    enough = 2 <= len(values) <= MOST_CHOICES and filled >= REPETITION * len(values)
    return tuple(Choice(value, value) for value in values) if enough and _all_shown(values) else ()


def _all_shown(values: Iterable[str]) -> bool:
    return all(value.isprintable() for value in values)


def _link(survey: ColumnSurvey, existing: Sequence[ExistingCollection]) -> ProposedLink | None:
    if not survey.values or (survey.chosen and survey.chosen.type is not FieldType.INTEGER):
        return None
    return link_of(survey.column, survey.values, existing, numbers=survey.chosen is not None)


def link_of(
    column: str, values: Collection[str], existing: Sequence[ExistingCollection], *, numbers: bool
) -> ProposedLink | None:
    """Return where these distinct values lead; numbers only to a collection that the column names."""
    best: tuple[float, bool, ProposedLink] | None = None
    for collection in existing:
        named = plain_key(column) in _names_of(collection)
        if not named and (numbers or len(values) < FEWEST_LINKED):
            continue
        matched = collection.contains(values)
        share = matched / len(values)
        if share < (NAMED_LINK_SHARE if named else LINK_SHARE):
            continue
        link = ProposedLink(collection.id, collection.name, collection.key, matched, len(values) - matched)
        if best is None or (named, share) > (best[1], best[0]):
            best = (share, named, link)
    return best[2] if best else None


def _names_of(collection: ExistingCollection) -> set[str]:
    many, key = plain_key(collection.name), plain_key(collection.key)
    one = many.removesuffix("s")
    return {one, many, f"{one}_{key}", f"{one}_id"} | (
        {key} if key not in ("name", "id", "code", "title") else set()
    )


def _warnings(surveys: Sequence[ColumnSurvey], fields: Sequence[ProposedField], ragged: int) -> list[str]:
    formulas = sum(
        survey.formulas
        for survey, one in zip(surveys, fields, strict=True)
        if one.spec.type in (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.CHOICE)
    )
    told = []
    if formulas:
        cells = "1 cell looks like a formula" if formulas == 1 else f"{formulas:,} cells look like formulas"
        told.append(f"{cells}. Formulas are kept as text and never calculated.")
    if ragged:
        rows = "1 row has" if ragged == 1 else f"{ragged:,} rows have"
        told.append(f"{rows} more or fewer cells than there are columns and will be refused.")
    return told
