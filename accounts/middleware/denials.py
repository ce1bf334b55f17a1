"""Puts into the trail what a view refused, whichever way it said so."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from permissions.access import note_refusal


class DenialMiddleware:
    """Stands innermost, so that it hears of a refusal before the one that answers it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Remember a refusal; answering it is for others."""
        note_refusal(request, exception)
