"""New tokens for what a session has become: a step-up, or another role.

A token that somebody copied before is worth nothing after. It happens when the answer is known to be
kept (an error would roll the new token back), and for another role only when a whole page is opened:
fragments of one page are asked for side by side, and all but the first would come with the old token.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.sessions import SessionStore
from permissions.holder import holder_of
from tenants.context import Plane, current


class RenewalMiddleware:
    """Stands inside of the session's middleware, which then sends the new cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        store: SessionStore = request.session  # type: ignore[assignment]  # set by SessionMiddleware
        if response.status_code < 400 and request.user.is_authenticated and _is_due(request, store):
            store.renew()
        return response


def renew_after(request: HttpRequest) -> None:
    """Have the session of a request renewed at its end."""
    request.renew_session = True  # type: ignore[attr-defined]  # read below


def _is_due(request: HttpRequest, store: SessionStore) -> bool:
    if getattr(request, "renew_session", False):
        return True
    context = current()
    if store.row is None or context is None or context.plane is not Plane.TENANT or not _is_a_page(request):
        return False
    since = holder_of(request).since
    return since is not None and store.row.created_at < since


def _is_a_page(request: HttpRequest) -> bool:
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return request.method == "GET" and mode == "navigate" and not getattr(request, "htmx", False)
