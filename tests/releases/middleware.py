"""What the web processes of the tests do beside their work."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Next = Callable[[HttpRequest], HttpResponse]


class SaysRelease:
    """Names the release in each answer."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["X-Test-Release"] = settings.RELEASE
        return response


class Slow:
    """Lets a request that asks for it take some seconds, inside its transaction."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        time.sleep(float(request.headers.get("X-Test-Slow", "0")))
        return self.get_response(request)
