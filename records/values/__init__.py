"""Types of designed fields: parsing, the canonical JSON of values, display, validation."""

from records.values.codec import ExactDecoder, ExactEncoder, dumps, loads
from records.values.display import SPOKEN, Locale, display
from records.values.spec import Canonical, Choice, FieldSpec, FieldType
from records.values.validator import (
    REQUIRED,
    UNKNOWN,
    Validator,
    compile_validator,
    parser_for,
)
from records.values.wrong import Wrong

__all__ = [
    "REQUIRED",
    "SPOKEN",
    "UNKNOWN",
    "Canonical",
    "Choice",
    "ExactDecoder",
    "ExactEncoder",
    "FieldSpec",
    "FieldType",
    "Locale",
    "Validator",
    "Wrong",
    "compile_validator",
    "display",
    "dumps",
    "loads",
    "parser_for",
]
