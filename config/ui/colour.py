"""Colour arithmetic: sRGB and OKLCH both ways, WCAG contrast. Pure functions."""

import math
import re
from dataclasses import dataclass
from typing import Self

_HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


class NotAColour(ValueError):
    """The text is not "#" followed by six hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Colour:
    """An sRGB colour, each channel 0 to 255. Its text is always "#rrggbb", safe in a stylesheet."""

    red: int
    green: int
    blue: int

    def __post_init__(self) -> None:
        if not all(0 <= channel <= 255 for channel in (self.red, self.green, self.blue)):
            raise NotAColour("A colour channel lies between 0 and 255.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "#rrggbb" and nothing else: no names, no short forms, no spaces. Raises NotAColour."""
        if not _HEX.fullmatch(text):
            raise NotAColour("Write the colour as # and six digits, for example #4b45b0.")
        return cls(int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


@dataclass(frozen=True, slots=True)
class Oklch:
    """A colour as people see it: lightness 0 to 1, chroma from 0 (grey) to about 0.32, hue in degrees."""

    lightness: float
    chroma: float
    hue: float


def to_oklch(colour: Colour) -> Oklch:
    """The OKLCH coordinates of an sRGB colour; greys get hue 0 since theirs is rounding noise."""
    red, green, blue = (_to_linear(channel) for channel in (colour.red, colour.green, colour.blue))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    if colour.red == colour.green == colour.blue:
        return Oklch(lightness, 0.0, 0.0)
    return Oklch(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def to_srgb(wanted: Oklch) -> Colour:
    """The nearest sRGB colour of the same lightness and hue: chroma is lowered until a screen can show it."""
    linear = _linear_rgb(wanted)
    if not _shown(linear):
        low, high = 0.0, wanted.chroma
        for _ in range(24):
            middle = (low + high) / 2
            if _shown(_linear_rgb(Oklch(wanted.lightness, middle, wanted.hue))):
                low = middle
            else:
                high = middle
        linear = _linear_rgb(Oklch(wanted.lightness, low, wanted.hue))
    return Colour(*(_to_channel(value) for value in linear))


def luminance(colour: Colour) -> float:
    """Relative luminance of WCAG 2, 0 (black) to 1 (white)."""
    red, green, blue = (_to_linear(channel) for channel in (colour.red, colour.green, colour.blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of WCAG 2, 1 to 21, in either order."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _to_linear(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _to_channel(linear: float) -> int:
    value = min(max(linear, 0.0), 1.0)
    encoded = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(encoded * 255)


def _linear_rgb(colour: Oklch) -> tuple[float, float, float]:
    a = colour.chroma * math.cos(math.radians(colour.hue))
    b = colour.chroma * math.sin(math.radians(colour.hue))
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _shown(linear: tuple[float, float, float]) -> bool:
    return all(-1e-5 <= value <= 1 + 1e-5 for value in linear)
