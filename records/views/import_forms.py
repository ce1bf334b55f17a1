"""The forms of an import: a design that can be corrected, and columns that go to fields."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from records.importing import human_name, key_for
from records.imports.designs import ColumnChoice, spec_from_json
from records.imports.targets import NAMING, Target
from records.models.collection import NAME_LENGTH
from records.models.field import UNIQUE_TYPES
from records.models.imports import MissingLink
from records.values import Choice, FieldSpec, FieldType

_PLAIN = (
    FieldType.TEXT,
    FieldType.LONG_TEXT,
    FieldType.INTEGER,
    FieldType.DECIMAL,
    FieldType.YES_NO,
    FieldType.DATE,
    FieldType.TIME,
    FieldType.DATETIME,
    FieldType.EMAIL,
    FieldType.LINK,
    FieldType.PERSON,
)
_ZONED = re.compile(r"(Z|UTC|[+-]\d\d:?\d\d)$")
_ORDERS = {"dmy": "day first", "mdy": "month first"}
_CURRENCIES = ("EUR", "USD", "GBP")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column may become: a type with its options, and what links are found by."""

    label: str
    type: FieldType
    options: Mapping[str, object] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    match: str = ""
    linked: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file as the proposal kept it."""

    name: str
    spec: FieldSpec
    markers: tuple[str, ...]
    filled: int
    empty: int
    examples: Sequence[str]
    note: str
    link: Mapping[str, Any] | None

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Column":
        """Return what was kept."""
        return cls(
            name=kept["column"],
            spec=spec_from_json(kept["field"]),
            markers=tuple(kept["markers"]),
            filled=kept["filled"],
            empty=kept["empty"],
            examples=kept["examples"],
            note=kept["note"],
            link=kept["link"],
        )

    @property
    def code(self) -> str:
        """Return the code of the kind that is proposed."""
        kind = self.spec.type
        if self.link is not None:
            return f"record.{self.link['target']}"
        if order := self.spec.option("date_order", ""):
            return f"{kind.value}.{order}"
        if kind is FieldType.MONEY:
            return f"money.{self.spec.option('currency', 'EUR')}"
        if kind is FieldType.DECIMAL and self.spec.option("decimal_mark", ".") == ",":
            return "decimal.comma"
        return kind.value

    @property
    def is_local(self) -> bool:
        """Return whether its moments say no zone, so that they are read in the organisation's."""
        moments = self.spec.type is FieldType.DATETIME
        return moments and not all(_ZONED.search(example) for example in self.examples)

    def kinds(self, targets: Sequence[Target]) -> dict[str, Kind]:
        """Return what the column may become, by code."""
        found = {one.value: Kind(one.label, one) for one in _PLAIN}
        for one in (FieldType.DATE, FieldType.DATETIME):
            for order, words in _ORDERS.items():
                found[f"{one.value}.{order}"] = Kind(f"{one.label}, {words}", one, {"date_order": order})
        found["decimal.comma"] = Kind("Number, decimal comma", FieldType.DECIMAL, {"decimal_mark": ","})
        for currency in dict.fromkeys((self.spec.option("currency", "EUR"), *_CURRENCIES)):
            found[f"money.{currency}"] = Kind(f"Money, {currency}", FieldType.MONEY, {"currency": currency})
        if self.spec.choices:
            label = f"Choice of {len(self.spec.choices)}"
            found["choice"] = Kind(label, FieldType.CHOICE, choices=self.spec.choices)
        for target in targets:
            found[f"record.{target.code}"] = Kind(
                f"Link to {target.collection.name}, by {target.by.name}",
                FieldType.RECORD,
                {"collection": str(target.collection.pk)},
                match=target.by.key,
                linked=target.collection.name,
            )
        return found

    def choice(
        self, kind: Kind, *, key: str, name: str, required: bool = False, unique: bool = False, is_new: bool
    ) -> ColumnChoice:
        """Return what the column becomes."""
        spec = FieldSpec(
            key=key,
            name=name,
            type=kind.type,
            required=required,
            unique=unique and kind.type in UNIQUE_TYPES,
            choices=kind.choices,
            options=dict(kind.options),
        )
        # The words found to mean "empty" were found for the type that was proposed.
        markers = self.markers if kind.type is self.spec.type or kind.match else None
        return ColumnChoice(self.name, spec, is_new, markers, kind.match, kind.linked)


class ColumnForm(forms.Form):
    """One column of a new collection."""

    take = forms.BooleanField(required=False, initial=True)
    name = forms.CharField(max_length=NAME_LENGTH)
    kind = forms.ChoiceField()
    required = forms.BooleanField(required=False)
    unique = forms.BooleanField(required=False)

    def __init__(self, column: Column, targets: Sequence[Target], *args: Any, **kwargs: Any) -> None:
        self.column = column
        self.kinds = column.kinds(targets)
        known = column.code if column.code in self.kinds else column.spec.type.value
        kwargs["initial"] = {
            "take": True,
            "name": column.spec.name,
            "kind": known if known in self.kinds else "text",
            "required": column.spec.required,
            "unique": column.spec.unique,
        }
        super().__init__(*args, **kwargs)
        kinds = self.fields["kind"]
        assert isinstance(kinds, forms.ChoiceField)
        kinds.choices = [(code, one.label) for code, one in self.kinds.items()]
        for name, words in _NAMED.items():
            self.fields[name].widget.attrs["aria-label"] = words.format(column.name)

    def clean(self) -> dict[str, Any]:
        """A column that is left out needs no name."""
        found = super().clean() or {}
        if not found.get("take"):
            self.errors.pop("name", None)
        return found


_NAMED = {
    "take": "Take column {}",
    "name": "Name of {}",
    "kind": "Type of {}",
    "required": "{} is required",
    "unique": "{} is unique",
}


class MissingForm(forms.Form):
    """What becomes of links that lead nowhere."""

    on_missing = forms.ChoiceField(
        label="A link that leads nowhere",
        choices=[(one.value, one.label) for one in (MissingLink.LEAVE_EMPTY, MissingLink.REFUSE)],
        initial=MissingLink.LEAVE_EMPTY,
    )


class DesignForm(MissingForm):
    """A new collection out of a file: its name, what names its records, and a form for each column."""

    name = forms.CharField(label="Name of the collection", max_length=NAME_LENGTH)
    title = forms.ChoiceField(label="Records are named by", required=False)
    field_order = ("name", "title", "on_missing")

    def __init__(
        self,
        columns: Sequence[Column],
        targets: Sequence[Target],
        data: Any = None,
        *,
        name: str = "",
        title: str = "",
    ) -> None:
        places = {column.name: f"c{at}" for at, column in enumerate(columns)}
        super().__init__(data, initial={"name": name, "title": places.get(title, "")})
        named = self.fields["title"]
        assert isinstance(named, forms.ChoiceField)
        named.choices = [("", "Nothing"), *((places[one.name], one.spec.name) for one in columns)]
        self.columns = [
            ColumnForm(column, targets, data, prefix=f"c{at}") for at, column in enumerate(columns)
        ]

    @property
    def has_links(self) -> bool:
        """Return whether a link is proposed."""
        return any(one.column.link for one in self.columns)

    def is_valid(self) -> bool:
        """Return whether the name and all columns can be."""
        return all([super().is_valid(), *(one.is_valid() for one in self.columns)])

    def clean(self) -> dict[str, Any]:
        """Only texts and numbers name records, and only of a column that is taken."""
        found = super().clean() or {}
        at = found.get("title", "")
        if at and self.data.get(f"{at}-kind") not in NAMING:
            self.add_error("title", "Choose a column of text or of whole numbers.")
        elif at and not self.data.get(f"{at}-take"):
            self.add_error("title", "Choose a column that is taken.")
        return found

    def named_by(self) -> str:
        """Return the column that names the records, "" for none; the form must be valid."""
        at = self.cleaned_data["title"]
        return self.columns[int(at[1:])].column.name if at else ""

    def choices(self) -> list[ColumnChoice]:
        """Return what was chosen; the form must be valid."""
        found: list[ColumnChoice] = []
        for one in self.columns:
            said = one.cleaned_data
            if said["take"]:
                key = key_for(one.column.name, {other.spec.key for other in found})
                found.append(
                    one.column.choice(
                        one.kinds[said["kind"]],
                        key=key,
                        name=" ".join(said["name"].split()),
                        required=said["required"],
                        unique=said["unique"],
                        is_new=False,
                    )
                )
        return found


def _called(spec: FieldSpec) -> str:
    return f"{spec.name} · required" if spec.required else spec.name


class MappingForm(MissingForm):
    """The columns of a file and the fields of a collection that they go to."""

    def __init__(
        self,
        columns: Sequence[Column],
        specs: Sequence[FieldSpec],
        guessed: Mapping[str, str],
        targets: Sequence[Target],
        data: Any = None,
        *,
        may_design: bool = False,
    ) -> None:
        super().__init__(data)
        self.all_columns, self.specs, self.targets = columns, {spec.key: spec for spec in specs}, targets
        known = [("", "Leave out"), *((spec.key, _called(spec)) for spec in specs)]
        for at, column in enumerate(columns):
            options = list(known)
            if may_design:
                kind = column.kinds(targets).get(column.code)
                options.append(("+new", f"New field: {kind.label if kind else 'Text'}"))
            self.fields[f"c{at}"] = forms.ChoiceField(
                label=column.name,
                choices=options,
                required=False,
                initial=guessed.get(column.name, ""),
            )

    @property
    def has_links(self) -> bool:
        """Return whether a field of the collection, or a column, links to something."""
        return any(spec.type.is_reference for spec in self.specs.values()) or any(
            column.link for column in self.all_columns
        )

    @property
    def rows(self) -> list[tuple[Column, forms.BoundField]]:
        """Return each column with its field of this form."""
        return [(column, self[f"c{at}"]) for at, column in enumerate(self.all_columns)]

    def choices(self) -> list[ColumnChoice]:
        """Return what was chosen; the form must be valid."""
        found: list[ColumnChoice] = []
        for at, column in enumerate(self.all_columns):
            said = self.cleaned_data[f"c{at}"]
            if said == "+new":
                found.append(self._new(column, found))
            elif said:
                spec = self.specs[said]
                same = spec.type is column.spec.type
                found.append(ColumnChoice(column.name, spec, False, column.markers if same else None, "", ""))
        return found

    def _new(self, column: Column, found: Sequence[ColumnChoice]) -> ColumnChoice:
        kinds = column.kinds(self.targets)
        key = key_for(column.name, {*self.specs, *(one.spec.key for one in found)})
        kind = kinds.get(column.code, kinds["text"])
        return column.choice(kind, key=key, name=human_name(column.name), is_new=True)
