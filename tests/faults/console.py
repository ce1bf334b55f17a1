"""What the console's first page tells operators of a fault."""

from django.conf import settings
from django.urls import set_urlconf
from django.utils import timezone

from operations.actions.shards import look_at_all
from operations.console.overview import overview

FULL = "shards have a disk that is full"
DOWN = "shards do not answer"
UPLOADS = "disk for files is full: nothing can be uploaded"


def told() -> set[str]:
    """Return which of these it tells, after a look at the shards."""
    look_at_all(at=timezone.now())
    set_urlconf(settings.URLCONF_OPERATORS)
    try:
        return {line["what"] for line in overview()["wanting"]} & {FULL, DOWN, UPLOADS}
    finally:
        set_urlconf(None)
