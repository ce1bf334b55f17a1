"""What each type of field keeps, and what it says when it keeps nothing."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from records.values import Choice, FieldSpec, FieldType, Wrong, dumps, parser_for

F = FieldType
COLOURS = (Choice("red", "Red"), Choice("blue", "Sky blue"))
ID = "0190163d-8694-739b-aea5-966c26f8ad91"


def kept(kind: FieldType, value: object, **rest: Any) -> object:
    """Return what a field of a type keeps of a value."""
    choices = COLOURS if kind in (F.CHOICE, F.CHOICES) else ()
    return parser_for(FieldSpec("f", "F", kind, choices=choices, options=rest))(value)


KEPT = [
    (F.TEXT, "  Cafe\u0301 ", "Café"),
    (F.TEXT, "   ", None),
    (F.TEXT, "a\tb", "a\tb"),
    (F.LONG_TEXT, "one\r\ntwo\rthree", "one\ntwo\nthree"),
    (F.INTEGER, "42", 42),
    (F.INTEGER, " -1,234,567 ", -1234567),
    (F.INTEGER, 12.0, 12),
    (F.INTEGER, "12.0", 12),
    (F.INTEGER, "007", 7),
    (F.INTEGER, str(2**63 - 1), 2**63 - 1),
    (F.DECIMAL, "10.357019999999999", Decimal("10.357019999999999")),
    (F.DECIMAL, "1.50", Decimal("1.5")),
    (F.DECIMAL, "-0.0", Decimal(0)),
    (F.DECIMAL, "1e-05", Decimal("0.00001")),
    (F.DECIMAL, 0.1, Decimal("0.1")),
    (F.MONEY, "1,234.50", Decimal("1234.5")),
    (F.YES_NO, "Yes", True),
    (F.YES_NO, "0", False),
    (F.YES_NO, False, False),
    (F.DATE, "2026-11-23", "2026-11-23"),
    (F.DATE, "23.11.2026", "2026-11-23"),
    (F.DATE, "11/23/2026", "2026-11-23"),
    (F.DATE, "23 Nov 2026", "2026-11-23"),
    (F.DATE, "November 23, 2026", "2026-11-23"),
    (F.DATE, "2026-11-23T00:00:00", "2026-11-23"),
    (F.DATE, date(2026, 1, 2), "2026-01-02"),
    (F.TIME, "9:05", "09:05:00"),
    (F.TIME, "5:17 pm", "17:17:00"),
    (F.TIME, "12:00 am", "00:00:00"),
    (F.TIME, time(1, 2, 3, 40), "01:02:03.000040"),
    (F.DATETIME, "2013-01-01T10:00:00Z", "2013-01-01T10:00:00.000000Z"),
    (F.DATETIME, "2013-01-01 10:00:00.5+02:00", "2013-01-01T08:00:00.500000Z"),
    (F.DATETIME, "2013-01-01", "2013-01-01T00:00:00.000000Z"),
    (F.CHOICE, "sky BLUE", "blue"),
    (F.CHOICE, "red", "red"),
    (F.CHOICES, "Sky blue; red;red", ["blue", "red"]),
    (F.CHOICES, ["red"], ["red"]),
    (F.CHOICES, [], None),
    (F.EMAIL, " Ada.L@Example.ORG ", "Ada.L@example.org"),
    (F.LINK, "https://example.org/a?b=c", "https://example.org/a?b=c"),
    (F.PERSON, UUID(ID), ID),
    (F.RECORD, ID.upper(), ID),
    (F.FILE, ID, ID),
]


class TestParsing:
    @pytest.mark.parametrize(("kind", "value", "expected"), KEPT)
    def test_keeps_the_canonical_value(self, kind: FieldType, value: object, expected: object) -> None:
        found = kept(kind, value)

        assert found == expected
        assert type(found) is type(expected)

    @pytest.mark.parametrize(
        ("kind", "value", "words"),
        [
            (F.TEXT, "a\nb", "one line"),
            (F.TEXT, "a\0b", "cannot be shown"),
            (F.TEXT, "\ud800", "cannot be shown"),
            (F.TEXT, "x" * 1001, "at most 1,000"),
            (F.LONG_TEXT, "x" * 100_001, "at most 100,000"),
            (F.TEXT, 5, "Use text"),
            (F.INTEGER, "4.5", "whole number"),
            (F.INTEGER, True, "whole number"),
            (F.INTEGER, str(2**63), "too large"),
            (F.INTEGER, "1,23", "whole number"),
            (F.INTEGER, 10**30, "too large"),
            (F.DECIMAL, "nan", "such as 12.5"),
            (F.DECIMAL, float("inf"), "such as 12.5"),
            (F.DECIMAL, "9" * 5000, "such as 12.5"),
            (F.DECIMAL, "1e99", "too large"),
            (F.DECIMAL, "1." + "1" * 19, "at most 18 digits"),
            (F.MONEY, "1.234", "at most 2 digits"),
            (F.YES_NO, "perhaps", "yes or no"),
            (F.DATE, "2026-02-30", "2026-11-23"),
            (F.DATE, "03/04/2026", "two ways"),
            (F.DATE, datetime(2026, 1, 1, 5, tzinfo=UTC), "2026-11-23"),
            (F.TIME, "25:00", "18:30"),
            (F.TIME, "13:00 pm", "18:30"),
            (F.DATETIME, "0001-01-01 00:00+10:00", "18:30"),
            (F.DATETIME, "tomorrow 5:00", "18:30"),
            (F.CHOICE, "green", "Choose one of: Red, Sky blue"),
            (F.CHOICES, "red;green", "Choose one of"),
            (F.CHOICES, 5, "Choose one of"),
            (F.EMAIL, "ada@localhost", "ada@example.org"),
            (F.EMAIL, "a..b@example.org", "ada@example.org"),
            (F.LINK, "javascript:alert(1)", "https://"),
            (F.LINK, "https://a:b@example.org", "name and password"),
            (F.LINK, "https://[::1", "https://"),
            (F.PERSON, "ada", "from the list"),
        ],
    )
    def test_says_what_to_type_instead(self, kind: FieldType, value: object, words: str) -> None:
        with pytest.raises(Wrong, match=words):
            kept(kind, value)

    def test_reads_dates_in_the_order_of_the_field(self) -> None:
        assert kept(F.DATE, "03/04/2026", date_order="dmy") == "2026-04-03"
        assert kept(F.DATE, "03/04/2026", date_order="mdy") == "2026-03-04"

    def test_reads_a_decimal_comma_where_the_field_says_so(self) -> None:
        assert kept(F.DECIMAL, "1.234,50", decimal_mark=",") == Decimal("1234.5")
        assert kept(F.DECIMAL, "1234,5", decimal_mark=",") == Decimal("1234.5")

    def test_reads_amounts_with_their_currency(self) -> None:
        assert kept(F.MONEY, "-€ 12.50", currency="EUR") == Decimal("-12.5")
        assert kept(F.MONEY, "1,200 jpy", currency="JPY") == 1200
        with pytest.raises(Wrong, match="in EUR"):
            kept(F.MONEY, "$5", currency="EUR")
        with pytest.raises(Wrong, match="without digits"):
            kept(F.MONEY, "5.1", currency="JPY")

    def test_takes_a_moment_without_a_zone_in_the_zone_given(self) -> None:
        parse = parser_for(FieldSpec("f", "F", F.DATETIME), zone=ZoneInfo("America/New_York"))

        assert parse("2026-07-01 12:00") == "2026-07-01T16:00:00.000000Z"


class TestOrder:
    def test_of_moments_as_text_is_their_order_in_time(self) -> None:
        start = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=5)))
        moments = [start + timedelta(microseconds=step) for step in (0, 1, 500_000, 1_000_000, 10**12)]

        texts = [str(kept(F.DATETIME, moment)) for moment in moments]

        assert texts == sorted(texts)
        assert len({len(text) for text in texts}) == 1

    def test_of_times_as_text_is_their_order_in_the_day(self) -> None:
        texts = [str(kept(F.TIME, text)) for text in ("9:00", "9:00:00.5", "9:00:01", "10:00", "22:00")]

        assert texts == sorted(texts)


class TestSpec:
    @pytest.mark.parametrize("key", ["", "Name", "1st", "a-b", "a" * 64, "a\n"])
    def test_refuses_a_key_that_cannot_be(self, key: str) -> None:
        with pytest.raises(ValueError, match="key"):
            FieldSpec(key, "F", F.TEXT)

    def test_refuses_two_choices_with_one_code(self) -> None:
        with pytest.raises(ValueError, match="same code"):
            FieldSpec("f", "F", F.CHOICE, choices=(Choice("a", "A"), Choice("a", "B")))

    def test_takes_types_and_choices_as_storage_gives_them(self) -> None:
        spec = FieldSpec("f", "F", "choice", choices=list(COLOURS))  # type: ignore[arg-type]  # as from JSON

        assert spec.type is F.CHOICE
        assert spec.choices == COLOURS

    def test_has_a_label_for_every_type(self) -> None:
        assert all(kind.label for kind in F)

    def test_writes_numbers_in_one_way(self) -> None:
        assert dumps({"a": Decimal("1.500"), "b": Decimal("1E+3")}) == b'{"a":1.5,"b":1000}'
