"""Turns refusals into answers, in one place."""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants.refusals import Refusal


class RefusalMiddleware:
    """A product rule said no: answer with its sentence and status; everything else is a bug and flies on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a Refusal as a fragment for htmx, and as a page otherwise."""
        if not isinstance(exception, Refusal):
            return None
        name = "errors/_refusal.html" if getattr(request, "htmx", False) else "errors/refusal.html"
        context = {"refusal": exception, "back_url": came_from(request)}
        return render(request, name, context, status=exception.status)


def came_from(request: HttpRequest) -> str:
    """Return the page of this very host that the request came from, or nothing."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host() or page.path.startswith("//"):
        return ""
    return urlunsplit(("", "", page.path, page.query, ""))
