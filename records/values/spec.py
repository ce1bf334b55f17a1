"""What a designed field is: its type, its rules and the options of its type. No Django, no database."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Canonical: TypeAlias = str | int | Decimal | bool | list[str]
"""A value as it is kept: what `codec.dumps` writes and `codec.loads` gives back."""

KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")
CODE = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
NOTHING: Mapping[str, object] = MappingProxyType({})


class FieldType(StrEnum):
    """The types that a field can have. The codes are stored, so they never change."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    YES_NO = "yes_no"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"
    EMAIL = "email"
    LINK = "link"
    PERSON = "person"
    RECORD = "record"
    FILE = "file"

    @property
    def label(self) -> str:
        """Return the name of the type as a person reads it."""
        return _LABELS[self]

    @property
    def is_reference(self) -> bool:
        """Return whether the kept value is the id of something else."""
        return self in (FieldType.PERSON, FieldType.RECORD, FieldType.FILE)

    @property
    def is_number(self) -> bool:
        """Return whether the kept value is a JSON number."""
        return self in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY)


_LABELS = {
    FieldType.TEXT: "Text",
    FieldType.LONG_TEXT: "Long text",
    FieldType.INTEGER: "Whole number",
    FieldType.DECIMAL: "Number",
    FieldType.MONEY: "Money",
    FieldType.YES_NO: "Yes or no",
    FieldType.DATE: "Date",
    FieldType.TIME: "Time of day",
    FieldType.DATETIME: "Date and time",
    FieldType.CHOICE: "Choice",
    FieldType.CHOICES: "Several choices",
    FieldType.EMAIL: "E-mail address",
    FieldType.LINK: "Web address",
    FieldType.PERSON: "Person",
    FieldType.RECORD: "Link to a record",
    FieldType.FILE: "File",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of a choice field: `code` is kept, `label` is shown."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a collection.

    Options by type: `currency` (three letters) and `places` (digits after the point) for money;
    `date_order` ("dmy" or "mdy") for dates; `decimal_mark` ("." or ",") for numbers;
    `collection` (id of the linked collection) and `collection_name` for links to records.
    Raises ValueError for a key, a type, a choice or an option that cannot be.
    """

    key: str
    name: str
    type: FieldType
    required: bool = False
    unique: bool = False
    choices: tuple[Choice, ...] = ()
    help: str = ""
    sensitive: bool = False
    options: Mapping[str, object] = field(default_factory=lambda: NOTHING, hash=False)

    def __post_init__(self) -> None:
        """Coerce what was read from storage and refuse what no validator could honour."""
        object.__setattr__(self, "type", FieldType(self.type))
        object.__setattr__(self, "choices", tuple(self.choices))
        if not KEY.fullmatch(self.key):
            raise ValueError(f"{self.key!r} cannot be the key of a field")
        check_choices(self.choices)
        if self.option("decimal_mark", ".") not in (".", ","):
            raise ValueError("decimal_mark is a point or a comma")
        if self.option("date_order", "") not in ("", "dmy", "mdy"):
            raise ValueError("date_order is dmy or mdy")

    def option(self, name: str, default: str) -> str:
        """Return a text option, or `default` where the design says nothing."""
        value = self.options.get(name, default)
        return value if isinstance(value, str) else default

    @property
    def places(self) -> int:
        """Return how many digits of a money field come after the point."""
        value = self.options.get("places")
        if isinstance(value, int) and 0 <= value <= 6:
            return value
        return MINOR_DIGITS.get(self.option("currency", ""), 2)


# ISO 4217 minor units that are not two; everything else has two.
MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "XAF",
            "XOF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


def check_choices(choices: Sequence[Choice]) -> None:
    """Raise ValueError if two choices share a code or a code cannot be kept."""
    codes = [choice.code for choice in choices]
    if len(set(codes)) != len(codes):
        raise ValueError("two choices have the same code")
    for code in codes:
        if not CODE.fullmatch(code) or code != code.strip():
            raise ValueError(f"{code!r} cannot be the code of a choice")
