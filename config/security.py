"""Headers on every answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_TWO_YEARS = 63_072_000


class SecurityHeadersMiddleware:
    """Adds what no page may be without; nothing that a person has signed in for is ever stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        headers.setdefault("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY)
        headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        if not request.path.startswith(settings.STATIC_URL):
            headers.setdefault("Cache-Control", "private, no-store")
        if request.is_secure():
            headers.setdefault("Strict-Transport-Security", _transport(request.META.get("HTTP_HOST", "")))
        return response


def _transport(host: str) -> str:
    """Return for how long only TLS is spoken; below a customer's own domain we decide about nothing else."""
    name = host.partition(":")[0].lower().removesuffix(".")
    ours = (settings.BASE_DOMAIN, settings.OPERATORS_HOST, settings.CONTENT_DOMAIN)
    if any(name == domain or name.endswith(f".{domain}") for domain in ours):
        return f"max-age={_TWO_YEARS}; includeSubDomains; preload"
    return f"max-age={_TWO_YEARS}"
