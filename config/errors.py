"""Pages of errors. They ask no database and need no session, so they stand when those have fallen."""

import errno
import sys
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from config.frame import look_of
from tenants import trouble


def error_page(request: HttpRequest, name: str, *, status: int, **context: Any) -> HttpResponse:
    """Return a page of templates/errors, with the organisation's look where it is known already."""
    context["frame"] = look_of(request)
    return HttpResponse(render_to_string(f"errors/{name}.html", context), status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form was stale or came from elsewhere; what was typed is still in the browser."""
    return error_page(request, "403", status=403, reason="csrf")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    return error_page(request, "404", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    return error_page(request, "403", status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400."""
    return error_page(request, "400", status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 where a database was in trouble in the middle of the request."""
    problem = sys.exception()
    if isinstance(problem, OperationalError):
        is_tenants = getattr(request, "tenant", None) is not None
        return trouble.answer(request, trouble.of(problem) if is_tenants else trouble.CONTROL_DOWN)
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return trouble.answer(request, trouble.FULL)
    return error_page(request, "500", status=500, request_id=getattr(request, "request_id", ""))
