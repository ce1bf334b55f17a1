"""What the console's first page tells operators of a fault."""

from django.conf import settings
from django.urls import set_urlconf
from django.utils import timezone

from operations.actions.shards import look_at_all
from operations.console.overview import overview

# Without the words that differ between one and several.
FULL = "a disk that is full"
DOWN = "not answer"
UPLOADS = "disk for files is full: nothing can be uploaded"


def told() -> set[str]:
    """Return which of these it tells, after a look at the shards."""
    look_at_all(at=timezone.now())
    set_urlconf(settings.URLCONF_OPERATORS)
    try:
        lines = [line["what"] for line in overview()["wanting"]]
        return {said for said in (FULL, DOWN, UPLOADS) if any(said in line for line in lines)}
    finally:
        set_urlconf(None)
