import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.ui.colour import Colour, NotAColour, Oklch, contrast, luminance, to_oklch, to_srgb

channels = st.integers(0, 255)
colours = st.builds(Colour, channels, channels, channels)


class TestParsing:
    @pytest.mark.parametrize("text", ["#4b45b0", "#4B45B0"])
    def test_six_digits_are_a_colour(self, text: str) -> None:
        assert Colour.parse(text) == Colour(0x4B, 0x45, 0xB0)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "red",
            "#fff",
            "4b45b0",
            "#4b45b",
            "#4b45b00",
            "#4b45bg",
            " #4b45b0",
            "#4b45b0\n",
            "#４b45b0",
            "#4b45b0;}",
        ],
    )
    def test_nothing_else_is(self, text: str) -> None:
        with pytest.raises(NotAColour):
            Colour.parse(text)

    def test_a_channel_out_of_range_is_refused(self) -> None:
        with pytest.raises(NotAColour):
            Colour(0, 0, 256)

    @given(colours)
    def test_text_and_back_is_the_same(self, colour: Colour) -> None:
        assert Colour.parse(str(colour)) == colour


class TestOklch:
    @given(colours)
    @example(Colour(9, 8, 8))  # all but grey, and so dark that its chroma is next to nothing
    def test_there_and_back_is_the_same(self, colour: Colour) -> None:
        assert to_srgb(to_oklch(colour)) == colour

    @pytest.mark.parametrize(
        ("text", "lightness", "chroma", "hue"),
        [("#ff0000", 0.628, 0.258, 29.2), ("#00ff00", 0.866, 0.295, 142.5), ("#0000ff", 0.452, 0.313, 264.1)],
    )
    def test_known_colours_have_their_known_places(
        self, text: str, lightness: float, chroma: float, hue: float
    ) -> None:
        found = to_oklch(Colour.parse(text))
        assert (round(found.lightness, 3), round(found.chroma, 3), round(found.hue, 1)) == (
            lightness,
            chroma,
            hue,
        )

    def test_greys_have_no_hue(self) -> None:
        assert to_oklch(Colour(128, 128, 128)).chroma == 0

    @given(st.floats(0.1, 1), st.floats(0, 360))
    def test_a_colour_no_screen_has_keeps_its_lightness(self, lightness: float, hue: float) -> None:
        shown = to_oklch(to_srgb(Oklch(lightness, 0.4, hue)))
        assert abs(shown.lightness - lightness) < 0.02


class TestContrast:
    def test_black_on_white_is_twenty_one(self) -> None:
        assert contrast(Colour(0, 0, 0), Colour(255, 255, 255)) == pytest.approx(21)

    @given(colours, colours)
    def test_order_does_not_matter(self, one: Colour, other: Colour) -> None:
        assert contrast(one, other) == contrast(other, one) >= 1

    def test_green_is_lighter_than_blue(self) -> None:
        assert luminance(Colour(0, 255, 0)) == pytest.approx(0.7152)
