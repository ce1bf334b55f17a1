"""The one place that decides which address a request came from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the sender's address, believing TRUSTED_PROXIES hops of X-Forwarded-For and no more.

    Without trusted proxies the header is ignored. Text that is not an address is never passed on.
    """
    hops: int = getattr(settings, "TRUSTED_PROXIES", 0)
    candidate = request.META.get("REMOTE_ADDR", "")
    if hops:
        forwarded = [
            part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()
        ]
        if len(forwarded) >= hops:
            candidate = forwarded[-hops]
    try:
        return str(ipaddress.ip_address(candidate))
    except ValueError:
        return ""


def site_url(host: str) -> str:
    """Return the address of one of our sites, without a path: for links, from stored hosts only."""
    scheme = "https" if settings.SESSION_COOKIE_SECURE else "http"
    port = settings.PUBLIC_PORT
    default = "443" if scheme == "https" else "80"
    return f"{scheme}://{host}" + ("" if port in ("", default) else f":{port}")
