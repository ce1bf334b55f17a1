"""What somebody is told whose data cannot be reached: why, when to try again, and in their own format."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

_SAFE = ("GET", "HEAD")
# States in which PostgreSQL says that it, or the connection, is going or gone, or takes no more of them.
_GONE = ("08", "57P01", "57P02", "57P03", "57P05", "53300")
_DISK_FULL = "53100"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble: its page, its sentence for programs, and after how many seconds to try again."""

    template: str
    title: str
    seconds: int


CONTROL_DOWN = Trouble("errors/503.html", "Enclave is not answering right now.", 5)
SHARD_DOWN = Trouble("errors/shard_down.html", "The data cannot be reached right now.", 5)
FULL = Trouble("errors/full.html", "Nothing can be saved right now.", 60)
BUSY = Trouble("errors/busy.html", "This took too long.", 10)


def of(problem: BaseException) -> Trouble:
    """Return what an operational error of a shard means to the person who met it."""
    state = getattr(problem.__cause__ or problem, "sqlstate", None) or getattr(problem, "sqlstate", None)
    if state == _DISK_FULL:
        return FULL
    return BUSY if state and not state.startswith(_GONE) else SHARD_DOWN


def answer(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """Answer 503. A page that was only looked at loads again by itself; a form is never sent twice."""
    again = request.method in _SAFE and not request.headers.get("HX-Request")
    response: HttpResponse
    if _wants_json(request):
        body: dict[str, Any] = {"type": "about:blank", "title": trouble.title, "status": 503}
        response = JsonResponse(body, status=503, content_type="application/problem+json")
    else:
        context = {"frame": None, "again": again, "seconds": trouble.seconds}
        # Without the request: what draws a page's frame asks the database, whose transaction has failed.
        response = HttpResponse(render_to_string(trouble.template, context), status=503)
        if again:
            response.headers["Refresh"] = str(trouble.seconds)
    response.headers["Retry-After"] = str(trouble.seconds)
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_json(request: HttpRequest) -> bool:
    wanted = request.get_preferred_type(["text/html", "application/json"])
    return wanted == "application/json"
