"""Icons of the heroicons package, rendered once per name and size and kept."""

from functools import lru_cache

from django.utils.safestring import SafeString
from heroicons.templatetags.heroicons import heroicon_outline, heroicon_solid


@lru_cache(maxsize=512)
def icon(name: str, size: int = 20, *, solid: bool = False) -> SafeString:
    """An inline drawing in the colour of the text, hidden from readers: the word beside it is what counts.

    `size` is in pixels. Raises heroicons.IconDoesNotExist for an unknown name.
    """
    draw = heroicon_solid if solid else heroicon_outline
    # 1.5 wide strokes are drawn for 24 px; at 16 they would look faint beside 14 px text.
    stroke = {} if solid else {"stroke_width": "1.8" if size < 20 else "1.6"}
    return SafeString(draw(name, size=size, aria_hidden="true", **{"class": "icon"}, **stroke))
