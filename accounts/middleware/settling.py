"""Runs what allauth leaves for after the commit, before it.

It signals, mails and shows messages then; here that is outside of the organisation, and after the
session has been stored. A mail is a job, so inside the transaction is where it belongs.
"""

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.http import HttpRequest, HttpResponse

from tenants.context import Plane, current


class SettlingMiddleware:
    """Stands inside of allauth's middleware, so that its request is still known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        context = current()
        if context is not None and context.plane is Plane.TENANT and response.status_code < 400:
            settle(context.alias)
        return response


def settle(alias: str) -> None:
    """Run allauth's callbacks of the current transaction and take them out of its list."""
    connection: Any = connections[alias]
    theirs = [entry for entry in connection.run_on_commit if _is_allauths(entry[1])]
    connection.run_on_commit = [entry for entry in connection.run_on_commit if entry not in theirs]
    for _, callback, _ in theirs:
        callback()


def _is_allauths(callback: object) -> bool:
    return str(getattr(callback, "__module__", "")).startswith("allauth.")
