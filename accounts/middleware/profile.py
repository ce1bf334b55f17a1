"""The organisation's profile for the request: its time zone, and its look for the frame."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.actions import profile as profiles
from accounts.actions.profile import accent_digest
from tenants.hosts import Site


class ProfileMiddleware:
    """Loads the profile once, and shows dates in the organisation's time zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.answering.site is not Site.ORGANISATION:  # type: ignore[attr-defined]  # set by HostMiddleware
            return self.get_response(request)
        profile = profiles.load()
        request.profile = profile  # type: ignore[attr-defined]  # read by `look`
        with timezone.override(_zone(profile.time_zone)):
            return self.get_response(request)


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        # A zone that this server's tables do not know (any more).
        return zoneinfo.ZoneInfo("UTC")


def look(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame shows of the organisation."""
    profile = getattr(request, "profile", None) or profiles.load()
    digest = profile.logo_digest
    return {
        "name": profile.display_name,
        "mark": profile.mark,
        "logo_url": reverse("accounts:logo", args=[digest]) if digest else None,
        "brand_url": reverse("accounts:brand", args=[accent_digest(profile.accent)]),
    }
