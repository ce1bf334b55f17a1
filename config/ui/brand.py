"""From one colour of an organisation to the handful a page needs, readable in light and dark."""

from dataclasses import dataclass

from config.ui.colour import Colour, Oklch, contrast, to_oklch, to_srgb

READABLE = 4.5
_STEP = 0.005
_WHITE = Colour(255, 255, 255)
_BLACK = Colour(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Scheme:
    """The neutral colours of one colour scheme; static/css/base.css holds the same numbers.

    `notices` are the grounds of notices: good, to be careful about, wrong.
    """

    page: Oklch
    side: Oklch
    hover: Oklch
    raised: Oklch
    notices: tuple[Oklch, Oklch, Oklch]
    ink: Oklch
    soft: Oklch

    def grounds(self) -> tuple[Colour, ...]:
        """Return everything that a word may stand on."""
        return tuple(
            to_srgb(ground) for ground in (self.page, self.side, self.hover, self.raised, *self.notices)
        )


LIGHT = Scheme(
    page=Oklch(0.99, 0.003, 80),
    side=Oklch(0.968, 0.005, 80),
    hover=Oklch(0.965, 0.006, 80),
    raised=Oklch(1, 0, 0),
    notices=(Oklch(0.96, 0.03, 150), Oklch(0.96, 0.04, 85), Oklch(0.96, 0.02, 25)),
    ink=Oklch(0.27, 0.01, 80),
    soft=Oklch(0.5, 0.012, 80),
)
DARK = Scheme(
    page=Oklch(0.19, 0.006, 80),
    side=Oklch(0.16, 0.006, 80),
    hover=Oklch(0.235, 0.008, 80),
    raised=Oklch(0.225, 0.007, 80),
    notices=(Oklch(0.28, 0.04, 150), Oklch(0.29, 0.04, 80), Oklch(0.28, 0.05, 25)),
    ink=Oklch(0.92, 0.006, 80),
    soft=Oklch(0.7, 0.012, 80),
)


@dataclass(frozen=True, slots=True)
class Palette:
    """A brand in one scheme. READABLE is kept by accent on every ground and by on_accent on both fills."""

    accent: Colour
    hover: Colour
    on_accent: Colour
    tint: Colour
    focus: Colour


def palette(brand: Colour, *, dark: bool) -> Palette:
    """The palette of one scheme: the brand's own hue, its lightness moved only as far as reading needs."""
    seen = to_oklch(brand)
    return _dark(seen) if dark else _light(seen)


def on_brand(brand: Colour) -> Colour:
    """Black or white, whichever reads better on the untouched brand colour; one always reaches 4.5:1."""
    return max((_WHITE, _BLACK), key=lambda ink: contrast(ink, brand))


def brand_css(brand: Colour) -> str:
    """The stylesheet of one organisation: custom properties only, made from parsed numbers."""
    light, dark = palette(brand, dark=False), palette(brand, dark=True)
    pairs = {
        "accent": (light.accent, dark.accent),
        "accent-hover": (light.hover, dark.hover),
        "on-accent": (light.on_accent, dark.on_accent),
        "tint": (light.tint, dark.tint),
        "focus": (light.focus, dark.focus),
    }
    lines = [f"--{name}:light-dark({day},{night});" for name, (day, night) in pairs.items()]
    return f":root{{--brand:{brand};--on-brand:{on_brand(brand)};{''.join(lines)}}}\n"


def _light(seen: Oklch) -> Palette:
    tint = to_srgb(Oklch(0.955, min(seen.chroma * 0.16, 0.026), seen.hue))
    grounds = (*LIGHT.grounds(), tint)
    chroma = min(seen.chroma, 0.19)
    lightness = min(seen.lightness, 0.6)
    while not _readable(to_srgb(Oklch(lightness, chroma, seen.hue)), grounds):
        lightness -= _STEP
    accent = to_srgb(Oklch(lightness, chroma, seen.hue))
    # Nearly black gives no room below it, so its hover goes up; white still reads on it by far.
    shifted = lightness - 0.06 if lightness > 0.3 else 0.36
    return Palette(accent, to_srgb(Oklch(shifted, chroma, seen.hue)), _WHITE, tint, accent)


def _dark(seen: Oklch) -> Palette:
    tint = to_srgb(Oklch(0.29, min(seen.chroma * 0.32, 0.052), seen.hue))
    ink = to_srgb(Oklch(0.18, min(seen.chroma * 0.15, 0.02), seen.hue))
    grounds = (*DARK.grounds(), tint, ink)
    chroma = min(seen.chroma * 0.8, 0.15)
    lightness = max(seen.lightness, 0.74)
    while not _readable(to_srgb(Oklch(lightness, chroma, seen.hue)), grounds):
        lightness += _STEP
    accent = to_srgb(Oklch(lightness, chroma, seen.hue))
    shifted = lightness + 0.05 if lightness < 0.93 else lightness - 0.08
    return Palette(accent, to_srgb(Oklch(shifted, chroma, seen.hue)), ink, tint, accent)


def _readable(ink: Colour, grounds: tuple[Colour, ...]) -> bool:
    return all(contrast(ink, ground) >= READABLE for ground in grounds)
