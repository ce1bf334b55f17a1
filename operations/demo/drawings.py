"""What the demonstration's people upload: logos and plans of venues, drawn here."""

import io
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFont

from operations.demo.places import Venue

# Drawn large and made smaller, which smooths the edges.
_FINE, _SIDE = 1024, 256
_WHITE = "#ffffff"
Draw = ImageDraw.ImageDraw


def pulse() -> bytes:
    """A beat, on violet."""
    beat = [(90, 540), (300, 540), (410, 270), (570, 800), (690, 430), (750, 540), (934, 540)]
    return _logo("#5b3fd6", lambda pen: _line(pen, beat, "#ffffff", 76))


def northlight() -> bytes:
    """Lights in the sky over a dark fjord."""

    def lights(pen: Draw) -> None:
        curtains = (
            ("#1d9a8c", 380, 700),
            ("#43c6a8", 250, 640),
            ("#a5f0cf", 170, 560),
            ("#43c6a8", 300, 640),
        )
        for place, (colour, top, bottom) in enumerate((*curtains, ("#1d9a8c", 430, 700))):
            left = 150 + place * 152
            pen.rounded_rectangle((left, top, left + 108, bottom), radius=54, fill=colour)
        pen.rectangle((0, 800, _FINE, _FINE), fill="#0f766e")

    return _logo("#0b2f33", lights)


def little_stage() -> bytes:
    """A stage under its arch."""

    def stage(pen: Draw) -> None:
        pen.pieslice((152, 160, 872, 880), 180, 360, fill="#fff4df")
        pen.rectangle((152, 520, 872, 690), fill="#fff4df")
        pen.polygon([(512, 210), (330, 690), (694, 690)], fill="#f5c16c")
        pen.rectangle((96, 730, 928, 820), fill="#fff4df")

    return _logo("#a04707", stage)


def plan(venue: Venue) -> bytes:
    """A plan of a venue: the stage, and its zones as large as the crowd that they draw."""
    image = Image.new("RGB", (900, 620), _WHITE)
    pen = ImageDraw.Draw(image)
    large, small = ImageFont.load_default(size=26), ImageFont.load_default(size=20)
    pen.rectangle((150, 30, 750, 100), fill="#2b2824")
    pen.text((450, 65), f"Stage of {venue.name}", fill=_WHITE, font=large, anchor="mm")
    left, total = 30.0, sum(pull for _, pull in venue.zones)
    for name, pull in venue.zones:
        right = left + 840 * pull / total
        pen.rectangle((left, 130, right - 8, 590), fill="#efece6", outline="#8c857a", width=2)
        pen.text(((left + right) / 2, 340), name.replace(" ", "\n"), fill="#2b2824", font=small, anchor="mm")
        left = right
    return _png(image)


def _logo(ground: str, draw: Callable[[Draw], None]) -> bytes:
    image = Image.new("RGB", (_FINE, _FINE), ground)
    draw(ImageDraw.Draw(image))
    return _png(image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))


def _line(pen: Draw, points: list[tuple[int, int]], colour: str, width: int) -> None:
    pen.line(points, fill=colour, width=width, joint="curve")
    for x, y in (points[0], points[-1]):
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()
