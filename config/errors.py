"""Views for errors that Django answers by itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.frame import bare


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form was stale or came from elsewhere; what was typed is still in the browser."""
    return render(request, "errors/403.html", {"frame": None, "reason": "csrf"}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    return render(request, "errors/404.html", {"frame": bare(request)}, status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    return render(request, "errors/403.html", {"frame": bare(request)}, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400."""
    return render(request, "errors/400.html", {"frame": None}, status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    return render(request, "errors/500.html", {"frame": None}, status=500)
