import re
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from config.ui.brand import DARK, LIGHT, Scheme, brand_css, on_brand, palette
from config.ui.colour import Colour, Oklch, contrast, to_oklch, to_srgb

READABLE = 4.5  # what WCAG AA asks of text; the code must not be able to lower it

channels = st.integers(0, 255)
colours = st.builds(Colour, channels, channels, channels)
EXTREMES = ["#000000", "#ffffff", "#ffff00", "#00ff00", "#0000ff", "#ff00ff", "#808080", "#010101", "#00ffff"]


def assert_readable(brand: Colour) -> None:
    for dark, scheme in ((False, LIGHT), (True, DARK)):
        seen = palette(brand, dark=dark)
        for ground in (*scheme.grounds(), seen.tint):
            assert contrast(seen.accent, ground) >= READABLE, (brand, dark, "accent", ground)
            assert contrast(seen.focus, ground) >= 3, (brand, dark, "focus", ground)
            assert contrast(to_srgb(scheme.ink), ground) >= READABLE, (brand, dark, "ink", ground)
            assert contrast(to_srgb(scheme.soft), ground) >= READABLE, (brand, dark, "soft", ground)
        assert contrast(seen.on_accent, seen.accent) >= READABLE, (brand, dark, "on accent")
        assert contrast(seen.on_accent, seen.hover) >= READABLE, (brand, dark, "on hover")
        assert contrast(seen.hover, to_srgb(scheme.page)) >= READABLE, (brand, dark, "link under the pointer")
    assert contrast(on_brand(brand), brand) >= READABLE


class TestPalette:
    @pytest.mark.parametrize("hue", range(0, 360, 3))
    def test_every_hue_is_readable_at_every_lightness(self, hue: int) -> None:
        for lightness in (0.1, 0.3, 0.5, 0.7, 0.95):
            for chroma in (0.03, 0.12, 0.35):
                assert_readable(to_srgb(Oklch(lightness, chroma, hue)))

    @pytest.mark.parametrize("text", EXTREMES)
    def test_extremes_are_readable(self, text: str) -> None:
        assert_readable(Colour.parse(text))

    @given(colours)
    def test_any_colour_is_readable(self, brand: Colour) -> None:
        assert_readable(brand)

    @given(colours)
    def test_hover_differs_from_rest(self, brand: Colour) -> None:
        for dark in (False, True):
            seen = palette(brand, dark=dark)
            assert abs(to_oklch(seen.hover).lightness - to_oklch(seen.accent).lightness) > 0.03

    def test_a_colour_that_reads_well_is_left_alone(self) -> None:
        brand = Colour.parse("#4b45b0")
        assert palette(brand, dark=False).accent == brand


def neutral_tokens(*, dark: bool) -> dict[str, Colour]:
    """Return the colours that static/css/base.css writes as pairs of OKLCH or hexadecimal."""
    css = (Path(settings.BASE_DIR) / "static/css/base.css").read_text()
    found = {}
    for name, *pair in re.findall(
        r"--([a-z-]+): light-dark\((oklch\([^)]+\)|#\w+), (oklch\([^)]+\)|#\w+)\);", css
    ):
        text = pair[dark]
        if text.startswith("#"):
            found[name] = Colour.parse(text if len(text) == 7 else "#" + "".join(two * 2 for two in text[1:]))
        else:
            percent, chroma, hue = text.removeprefix("oklch(").removesuffix(")").split()
            found[name] = to_srgb(Oklch(float(percent.rstrip("%")) / 100, float(chroma), float(hue)))
    return found


class TestStylesheet:
    @given(colours)
    def test_it_holds_variables_and_colours_only(self, brand: Colour) -> None:
        pair = r"light-dark\(#[0-9a-f]{6},#[0-9a-f]{6}\)"
        assert re.fullmatch(
            rf":root\{{--brand:#[0-9a-f]{{6}};--on-brand:#[0-9a-f]{{6}};(--[a-z-]+:{pair};){{5}}\}}\n",
            brand_css(brand),
        )

    @pytest.mark.parametrize(("dark", "scheme"), [(False, LIGHT), (True, DARK)], ids=["light", "dark"])
    def test_the_stylesheet_and_the_arithmetic_agree_on_neutrals(self, dark: bool, scheme: Scheme) -> None:
        tokens = neutral_tokens(dark=dark)
        names = ("bg", "side", "hover", "raised", "ok-tint", "warn-tint", "bad-tint")
        assert [tokens[name] for name in names] == list(scheme.grounds())
        assert tokens["ink"] == to_srgb(scheme.ink)
        assert tokens["soft"] == to_srgb(scheme.soft)

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_states_and_words_can_be_read_on_every_ground(self, dark: bool) -> None:
        tokens = neutral_tokens(dark=dark)
        grounds = [
            tokens[name] for name in ("bg", "side", "hover", "raised", "ok-tint", "warn-tint", "bad-tint")
        ]
        tints = [palette(to_srgb(Oklch(0.6, 0.2, hue)), dark=dark).tint for hue in range(0, 360, 15)]
        for name in ("ink", "soft", "ok", "warn", "bad", "info"):
            for ground in (*grounds, *tints):
                assert contrast(tokens[name], ground) >= READABLE, (name, ground)

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_any_accent_can_be_read_where_menus_and_notices_lie(self, dark: bool) -> None:
        tokens = neutral_tokens(dark=dark)
        for hue in range(0, 360, 5):
            for lightness in (0.3, 0.6, 0.9):
                seen = palette(to_srgb(Oklch(lightness, 0.2, hue)), dark=dark)
                for name in ("raised", "ok-tint", "warn-tint", "bad-tint"):
                    assert contrast(seen.accent, tokens[name]) >= READABLE, (hue, lightness, name)
                assert contrast(seen.hover, seen.tint) >= READABLE, (hue, lightness, "under the pointer")

    def test_enclave_itself_has_the_accent_its_own_colour_gives(self) -> None:
        css = (Path(settings.BASE_DIR) / "static/css/base.css").read_text()
        seen = palette(Colour.parse("#4b45b0"), dark=True)
        assert f"--accent: light-dark(#4b45b0, {seen.accent})" in css
        assert f"{seen.tint})" in css
