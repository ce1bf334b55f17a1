"""At the operators' console a second step is not a choice."""

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tenants.hosts import Site

# What an operator without a second step may open: the way to one, and the way out.
OPEN = frozenset({"mfa_activate_totp", "account_reauthenticate", "account_logout"})


class SecondStepMiddleware:
    """Leads an operator who has only a password to the enrolment, whatever page was asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        if request.answering.site is not Site.OPERATORS or not request.user.is_authenticated:  # type: ignore[attr-defined]  # set by HostMiddleware
            return None
        match = request.resolver_match
        if match is not None and match.view_name in OPEN:
            return None
        if is_mfa_enabled(request.user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
            return None
        return redirect("mfa_activate_totp")
