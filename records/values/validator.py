"""One validator for forms, the API and the import: from what came in to what is kept."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import Any, TypeAlias

from records.values import moments, numbers, texts
from records.values.spec import Canonical, FieldSpec, FieldType
from records.values.wrong import Wrong

Parser: TypeAlias = Callable[[object], Canonical | None]
REQUIRED = "This is required."
UNKNOWN = "There is no such field."

_TRUE = frozenset({"yes", "y", "true", "t", "1", "on"})
_FALSE = frozenset({"no", "n", "false", "f", "0", "off"})


def parser_for(spec: FieldSpec, *, zone: tzinfo = UTC) -> Parser:
    """Return the function that turns one value into its kept form, or None for "empty".

    It raises Wrong with words for the person. Moments without a zone are taken in `zone`.
    """
    parse = _PARSERS[spec.type](spec, zone)

    def run(value: object) -> Canonical | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        found = parse(value)
        return None if found in ("", []) else found

    return run


def _yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Wrong("Use yes or no.")


class _Choices:
    """Finds the code of a choice by its code or, whatever the case, its label."""

    def __init__(self, spec: FieldSpec) -> None:
        self.codes = {choice.code for choice in spec.choices}
        self.spoken: dict[str, str] = {}
        for choice in reversed(spec.choices):
            self.spoken[choice.label.strip().casefold()] = choice.code
        for choice in reversed(spec.choices):
            self.spoken[choice.code.casefold()] = choice.code
        labels = [choice.label for choice in spec.choices]
        self.refusal = (
            f"Choose one of: {', '.join(labels)}." if len(labels) <= 10 else "Choose one from the list."
        )

    def find(self, word: str) -> str | None:
        word = unicodedata.normalize("NFC", word).strip()
        return word if word in self.codes else self.spoken.get(word.casefold())

    def one(self, value: object) -> str:
        code = self.find(value) if isinstance(value, str) else None
        if code is None:
            raise Wrong(self.refusal)
        return code

    def several(self, value: object) -> list[str]:
        if isinstance(value, str):
            words = self._split(value)
        elif isinstance(value, Sequence | set | frozenset):
            words = list(value)
        else:
            raise Wrong(self.refusal)
        return sorted({self.one(word) for word in words})

    def _split(self, cell: str) -> list[str]:
        if self.find(cell) is not None:
            return [cell]
        mark = next((mark for mark in (";", "|", "\n", ",") if mark in cell), ";")
        return [word for word in cell.split(mark) if word.strip()]


def _text(spec: FieldSpec, _zone: tzinfo) -> Parser:
    return lambda value: texts.text(value, limit=texts.TEXT_LENGTH, lines=False)


def _long_text(spec: FieldSpec, _zone: tzinfo) -> Parser:
    return lambda value: texts.text(value, limit=texts.LONG_TEXT_LENGTH, lines=True)


def _date(spec: FieldSpec, _zone: tzinfo) -> Parser:
    order = spec.option("date_order", "")
    return lambda value: moments.day(value, order=order)


def _datetime(spec: FieldSpec, zone: tzinfo) -> Parser:
    order = spec.option("date_order", "")
    return lambda value: moments.moment(value, zone=zone, order=order)


def _identifier(_spec: FieldSpec, _zone: tzinfo) -> Parser:
    return texts.identifier


_PARSERS: Mapping[FieldType, Callable[[FieldSpec, tzinfo], Parser]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _long_text,
    FieldType.INTEGER: lambda spec, _zone: lambda value: numbers.integer(value, spec),
    FieldType.DECIMAL: lambda spec, _zone: lambda value: numbers.decimal(value, spec),
    FieldType.MONEY: lambda spec, _zone: lambda value: numbers.money(value, spec),
    FieldType.YES_NO: lambda _spec, _zone: _yes_no,
    FieldType.DATE: _date,
    FieldType.TIME: lambda _spec, _zone: moments.clock,
    FieldType.DATETIME: _datetime,
    FieldType.CHOICE: lambda spec, _zone: _Choices(spec).one,
    FieldType.CHOICES: lambda spec, _zone: _Choices(spec).several,
    FieldType.EMAIL: lambda _spec, _zone: texts.email,
    FieldType.LINK: lambda _spec, _zone: texts.link,
    FieldType.PERSON: _identifier,
    FieldType.RECORD: _identifier,
    FieldType.FILE: _identifier,
}


class Validator:
    """The compiled design of a collection. Make it once per design; it keeps no values."""

    def __init__(self, fields: Sequence[FieldSpec], *, zone: tzinfo = UTC) -> None:
        self.fields = MappingProxyType({spec.key: spec for spec in fields})
        if len(self.fields) != len(fields):
            raise ValueError("two fields have the same key")
        self._parsers = {spec.key: parser_for(spec, zone=zone) for spec in fields}

    def validate(self, values: Mapping[str, object]) -> tuple[dict[str, Canonical], dict[str, str]]:
        """Return (what to keep, message by field). Empty values are absent; keys come in design order."""
        return self._run(values, self.fields)

    def merge(
        self, current: Mapping[str, Any], changes: Mapping[str, object]
    ) -> tuple[dict[str, Canonical], dict[str, str]]:
        """Return (the whole record after the changes, message by changed field).

        Values that are not changed are not judged again: a design may have become stricter since.
        """
        clean, errors = self._run(changes, [key for key in self.fields if key in changes])
        merged = {
            **{key: value for key, value in current.items() if key not in changes},
            **clean,
        }
        order = [key for key in self.fields if key in merged] + [
            key for key in merged if key not in self.fields
        ]
        return {key: merged[key] for key in order}, errors

    def _run(
        self,
        values: Mapping[str, object],
        keys: Sequence[str] | Mapping[str, FieldSpec],
    ) -> tuple[dict[str, Canonical], dict[str, str]]:
        clean: dict[str, Canonical] = {}
        errors = {str(key): UNKNOWN for key in values if key not in self.fields}
        for key in keys:
            try:
                value = self._parsers[key](values.get(key))
            except Wrong as refusal:
                errors[key] = str(refusal)
                continue
            if value is not None:
                clean[key] = value
            elif self.fields[key].required:
                errors[key] = REQUIRED
        return clean, errors


def compile_validator(fields: Sequence[FieldSpec], *, zone: tzinfo = UTC) -> Validator:
    """Return the validator of a design. Raises ValueError if two fields share a key."""
    return Validator(fields, zone=zone)
