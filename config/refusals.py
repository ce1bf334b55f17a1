"""Turns refusals into answers, in one place."""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants import standstill
from tenants.context import current
from tenants.middleware import SAFE_METHODS
from tenants.refusals import OrganisationClosed, Refusal


class RefusalMiddleware:
    """A product rule said no: answer with its sentence and status; everything else is a bug and flies on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a Refusal as a fragment for htmx, and as a page otherwise."""
        return self._answer(request, exception) if isinstance(exception, Refusal) else None

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Say so at the door where an organisation takes no changes; the database would refuse them."""
        context, match = current(), request.resolver_match
        if context is None or not context.stands_still or request.method in SAFE_METHODS:
            return None
        if match is not None and standstill.answers(match.view_name):
            return None
        return self._answer(request, OrganisationClosed())

    def _answer(self, request: HttpRequest, refusal: Refusal) -> HttpResponse:
        name = "errors/_refusal.html" if getattr(request, "htmx", False) else "errors/refusal.html"
        context = {"refusal": refusal, "back_url": came_from(request)}
        return render(request, name, context, status=refusal.status)


def came_from(request: HttpRequest) -> str:
    """Return the page of this very host that the request came from, or nothing."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host() or page.path.startswith("//"):
        return ""
    return urlunsplit(("", "", page.path, page.query, ""))
