"""Whatever is kept is kept the same way again, by every door."""

import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from records.values import Choice, FieldSpec, FieldType, Wrong, display, dumps, loads, parser_for
from records.values.spec import Canonical

F = FieldType
CHOICES = (Choice("a", "Ape"), Choice("Ape", "b"), Choice("c,d", "e; f"))
PARSERS = {
    kind: parser_for(FieldSpec("f", "F", kind, choices=CHOICES if kind in (F.CHOICE, F.CHOICES) else ()))
    for kind in F
}
TEXTS = st.one_of(
    st.text(),
    st.from_regex(r"-?[0-9]{1,22}([.,][0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}([T ][0-9]{1,2}:[0-9]{2}(:[0-9.]{1,9})?Z?)?"),
    st.sampled_from(
        ["a", "Ape", "APE", "c,d", "E; f", "a;Ape", "yes", "0", "x@y.zz", "http://a.b", "12:30 pm"]
    ),
)
ANYTHING = st.recursive(
    TEXTS
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.decimals()
    | st.datetimes()
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


def attempt(kind: FieldType, value: object) -> Canonical | None:
    """Return what is kept, or None if nothing is."""
    try:
        return PARSERS[kind](value)
    except Wrong:
        return None


class TestRoundTrip:
    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(list(F)), ANYTHING)
    def test_a_kept_value_is_kept_unchanged(self, kind: FieldType, value: object) -> None:
        clean = attempt(kind, value)
        if clean is None:
            return
        again = loads(dumps(clean))

        assert again == clean
        assert attempt(kind, again) == clean
        assert isinstance(display(FieldSpec("f", "F", kind), clean), str)

    @settings(max_examples=100, deadline=None)
    @given(
        st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**15), max_value=10**15)
    )
    def test_a_decimal_keeps_its_digits(self, number: Decimal) -> None:
        text = dumps(PARSERS[F.DECIMAL](str(number))).decode()

        assert Decimal(text) == number
        assert json.loads(text, parse_float=Decimal) == number

    @settings(max_examples=100, deadline=None)
    @given(st.text())
    def test_a_kept_text_can_be_stored(self, text: str) -> None:
        clean = attempt(F.LONG_TEXT, text)

        if clean is not None:
            assert "\0" not in str(clean)
            assert str(clean).encode()
