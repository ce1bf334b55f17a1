"""The frame around every page: organisation, navigation, person, jobs."""

from typing import Any

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the context that the layouts draw the frame from."""
    return {"frame": None}
