"""The validator of a whole record."""

import json
from decimal import Decimal

import pytest

from records.values import (
    REQUIRED,
    UNKNOWN,
    Choice,
    ExactDecoder,
    ExactEncoder,
    FieldSpec,
    FieldType,
    Locale,
    compile_validator,
    display,
)

F = FieldType
FIELDS = (
    FieldSpec("name", "Name", F.TEXT, required=True),
    FieldSpec("seats", "Seats", F.INTEGER),
    FieldSpec("fee", "Fee", F.MONEY, options={"currency": "EUR"}),
    FieldSpec("open", "Open", F.YES_NO, required=True),
)


class TestValidate:
    def test_keeps_values_in_the_order_of_the_design(self) -> None:
        clean, errors = compile_validator(FIELDS).validate({"open": "no", "fee": "3.50", "name": "Hall"})

        assert errors == {}
        assert list(clean.items()) == [("name", "Hall"), ("fee", Decimal("3.5")), ("open", False)]

    def test_leaves_empty_values_out(self) -> None:
        clean, errors = compile_validator(FIELDS).validate(
            {"name": "Hall", "open": True, "seats": " ", "fee": None}
        )

        assert set(clean) == {"name", "open"}
        assert not errors

    def test_names_every_fault_by_field(self) -> None:
        _, errors = compile_validator(FIELDS).validate({"name": " ", "seats": "many", "colour": "red"})

        assert errors == {
            "name": REQUIRED,
            "seats": "Use a whole number such as 42.",
            "open": REQUIRED,
            "colour": UNKNOWN,
        }

    def test_refuses_a_design_with_one_key_twice(self) -> None:
        with pytest.raises(ValueError, match="same key"):
            compile_validator([FIELDS[0], FIELDS[0]])


class TestMerge:
    def test_judges_only_what_changes(self) -> None:
        current = {"seats": 7, "old": "from an earlier design"}

        clean, errors = compile_validator(FIELDS).merge(current, {"name": "Hall"})

        assert errors == {}
        assert clean == {"name": "Hall", "seats": 7, "old": "from an earlier design"}

    def test_takes_away_what_was_emptied(self) -> None:
        clean, errors = compile_validator(FIELDS).merge({"name": "Hall", "seats": 7}, {"seats": ""})

        assert (clean, errors) == ({"name": "Hall"}, {})

    def test_does_not_let_a_required_value_be_emptied(self) -> None:
        _, errors = compile_validator(FIELDS).merge({"name": "Hall"}, {"name": ""})

        assert errors == {"name": REQUIRED}


class TestCodecForJsonFields:
    def test_loses_no_digit_there_and_back(self) -> None:
        values = {"a": Decimal("10.357019999999999123"), "b": [1, True, "é"]}

        text = json.dumps(values, cls=ExactEncoder)

        assert text == '{"a":10.357019999999999123,"b":[1,true,"é"]}'
        assert json.loads(text, cls=ExactDecoder) == values


class TestDisplay:
    @pytest.mark.parametrize(
        ("spec", "value", "expected"),
        [
            (FieldSpec("f", "F", F.INTEGER), 2013, "2013"),
            (FieldSpec("f", "F", F.DECIMAL), Decimal("-1234.5"), "-1,234.5"),
            (FieldSpec("f", "F", F.MONEY, options={"currency": "EUR"}), Decimal("1234.5"), "1,234.50 EUR"),
            (FieldSpec("f", "F", F.YES_NO), False, "No"),
            (FieldSpec("f", "F", F.DATE), "2026-11-23", "2026-11-23"),
            (FieldSpec("f", "F", F.TIME), "18:30:00", "18:30"),
            (FieldSpec("f", "F", F.DATETIME), "2026-11-23T18:30:00.000000Z", "2026-11-23 18:30"),
            (FieldSpec("f", "F", F.CHOICES, choices=(Choice("a", "Ape"),)), ["a", "gone"], "Ape, gone"),
            (FieldSpec("f", "F", F.TEXT), None, ""),
            (FieldSpec("f", "F", F.DATE), "kept before it was a date", "kept before it was a date"),
            (FieldSpec("f", "F", F.RECORD), "some-id", "JFK"),
            (FieldSpec("f", "F", F.RECORD), "unknown", ""),
        ],
    )
    def test_shows_what_a_person_expects(self, spec: FieldSpec, value: object, expected: str) -> None:
        assert display(spec, value, labels={"some-id": "JFK"}) == expected

    def test_follows_the_locale(self) -> None:
        german = Locale(decimal_mark=",", group_mark=".", date_pattern="%d.%m.%Y", yes="Ja", no="Nein")

        assert display(FieldSpec("f", "F", F.DECIMAL), Decimal("1234.5"), locale=german) == "1.234,5"
        assert display(FieldSpec("f", "F", F.DATE), "2026-11-23", locale=german) == "23.11.2026"
