"""Cookies that a sibling host may have tossed at us.

Organisations share a site, so another one's page can set cookies for the parent domain, with our
names, longer paths, or hundreds of them. What cannot be told apart is refused, not guessed.
"""

import re
from collections import Counter
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# The longest Cookie header that is read, in bytes. Servers behind us stop at 8 kB and answer nothing useful.
LONGEST_HEADER = 6000
# So many are ended one by one, for browsers which do not know Clear-Site-Data.
MOST_CLEARED = 60
_LEGAL = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_PREFIX = "__Host-"


def reserved_names() -> frozenset[str]:
    """Return the names that only we may set, with and without the prefix."""
    ours = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    bare = {name.removeprefix(_PREFIX) for name in ours}
    return frozenset(ours | bare | {_PREFIX + name for name in bare})


def names_of(header: str) -> list[str]:
    """Return the names in a Cookie header, one for each time it occurs."""
    return [part.partition("=")[0].strip() for part in header.split(";") if part.strip()]


class CookieMiddleware:
    """Refuses doubled and disguised cookies of ours, and clears a jar that has become too full."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.reserved = {name.lower() for name in reserved_names()}
        self.exact = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        header: str = request.META.get("HTTP_COOKIE", "")
        names = names_of(header)
        if len(header) > LONGEST_HEADER:
            return self._cleared(request, names, too_long=True)
        if self._was_tossed(names):
            return self._cleared(request, names, too_long=False)
        return self.get_response(request)

    def _was_tossed(self, names: list[str]) -> bool:
        counted = Counter(names)
        for name, times in counted.items():
            if name.lower() not in self.reserved:
                continue
            if times > 1 or name not in self.exact:
                return True
        return False

    def _cleared(self, request: HttpRequest, names: list[str], *, too_long: bool) -> HttpResponse:
        """Answer a page that says what happened and ends the cookies that this host can end."""
        response = render(
            request, "accounts/cookies_cleared.html", {"frame": None, "too_long": too_long}, status=400
        )
        for name in sorted(set(names))[:MOST_CLEARED]:
            if _LEGAL.fullmatch(name):
                response.delete_cookie(name)
        response.headers["Clear-Site-Data"] = '"cookies"'
        return response
