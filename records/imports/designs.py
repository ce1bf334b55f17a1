"""The choices of an import as JSON: which column goes to which field, and how to read it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import orjson

from records.importing import Proposal, ProposedField
from records.models import Import
from records.values import Choice, FieldSpec, FieldType


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Where one column goes.

    `spec` is the field as it is, or as it will be when `is_new`. `markers` are texts that mean
    "empty"; None leaves that to the usual ones. `match` is the key of the field by whose values
    linked records are found, `linked` the name of their collection; "" where nothing is linked.
    """

    column: str
    spec: FieldSpec
    is_new: bool = False
    markers: tuple[str, ...] | None = None
    match: str = ""
    linked: str = ""


def spec_to_json(spec: FieldSpec) -> dict[str, Any]:
    """Return a field's design as JSON."""
    return {
        "key": spec.key,
        "name": spec.name,
        "type": spec.type.value,
        "required": spec.required,
        "unique": spec.unique,
        "choices": [[choice.code, choice.label] for choice in spec.choices],
        "help": spec.help,
        "sensitive": spec.sensitive,
        "options": dict(spec.options),
    }


def spec_from_json(kept: Mapping[str, Any]) -> FieldSpec:
    """Return the field's design that `spec_to_json` wrote."""
    return FieldSpec(
        key=kept["key"],
        name=kept["name"],
        type=FieldType(kept["type"]),
        required=kept["required"],
        unique=kept["unique"],
        choices=tuple(Choice(code, label) for code, label in kept["choices"]),
        help=kept["help"],
        sensitive=kept["sensitive"],
        options=MappingProxyType(dict(kept["options"])),
    )


def mapping_to_json(choices: Sequence[ColumnChoice]) -> list[dict[str, Any]]:
    """Return choices as they are kept."""
    return [
        {
            "column": one.column,
            "field": spec_to_json(one.spec),
            "new": one.is_new,
            "markers": None if one.markers is None else sorted(one.markers),
            "match": one.match,
            "linked": one.linked,
        }
        for one in choices
    ]


def choices_of(row: Import) -> list[ColumnChoice]:
    """Return the choices that an import keeps."""
    return [
        ColumnChoice(
            column=kept["column"],
            spec=spec_from_json(kept["field"]),
            is_new=kept["new"],
            markers=None if kept["markers"] is None else tuple(kept["markers"]),
            match=kept["match"],
            linked=kept["linked"],
        )
        for kept in row.mapping
    ]


def proposal_to_json(proposal: Proposal, examples: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return a proposal as it is kept; `examples` are the first rows of the file."""
    return {
        "name": proposal.name,
        "title": proposal.title,
        "rows": proposal.rows,
        "ragged": proposal.ragged,
        "warnings": list(proposal.warnings),
        "fields": [_field_to_json(one) for one in proposal.fields],
        "examples": [[cell[:80] for cell in row[:30]] for row in examples],
    }


def _field_to_json(one: ProposedField) -> dict[str, Any]:
    return {
        "column": one.column,
        "field": spec_to_json(plain(one.spec)),
        "markers": sorted(one.markers),
        "filled": one.filled,
        "empty": one.empty,
        "examples": [text[:60] for text in one.examples],
        "note": one.note,
        "link": None
        if one.link is None
        else {
            "target": one.link.collection,
            "name": one.link.name,
            "matched": one.link.matched,
            "unmatched": one.link.unmatched,
        },
    }


def plain(spec: FieldSpec) -> FieldSpec:
    """Return a spec without what only the import needs in its options."""
    kept = {name: value for name, value in spec.options.items() if name in _KEPT_OPTIONS}
    return replace(spec, options=MappingProxyType(kept))


_KEPT_OPTIONS = frozenset({"currency", "places", "date_order", "decimal_mark", "collection"})


def stamp_of(row: Import, design: object) -> str:
    """Return the name of everything that the outcome of a check depends on."""
    parts = [
        row.digest,
        row.room or str(row.collection_id),
        design,
        row.mapping,
        row.on_missing,
        row.zone,
        row.encoding,
    ]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
