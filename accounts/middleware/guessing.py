"""Slows guessing down on every page where a secret can be tried."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.account.internal.stagekit import unstash_login
from django.http import HttpRequest, HttpResponse

from accounts.limits import Budget, TooManyTries, account_of, address_of, give_back, spend, too_many
from tenants.middleware import SAFE_METHODS


def typed(field: str) -> Callable[[HttpRequest], str]:
    """Return the account that was typed into a field, whether it exists or not."""
    return lambda request: request.POST.get(field, "")[:254]


def halfway(request: HttpRequest) -> str:
    """Return the account whose password has been given and whose second step is awaited."""
    login = unstash_login(request, peek=True)
    return str(login.user.pk) if login is not None and login.user is not None else ""


def oneself(request: HttpRequest) -> str:
    """Return the account of who is signed in."""
    return str(request.user.pk) if request.user.is_authenticated else ""


TEN = Budget(10, 600)


@dataclass(frozen=True, slots=True)
class Rule:
    """Budgets of one page. `account` says whose secret is tried; a redirect means that it was right."""

    address: Budget
    account: Callable[[HttpRequest], str] | None = None
    tries: Budget = TEN


RULES: dict[str, Rule] = {
    "account_login": Rule(Budget(100, 600), typed("login")),
    "account_reset_password": Rule(Budget(20, 3600), typed("email"), Budget(5, 3600)),
    "account_reset_password_from_key": Rule(Budget(30, 600)),
    "account_reauthenticate": Rule(Budget(100, 600), oneself),
    "account_change_password": Rule(Budget(100, 600), oneself),
    "account_email": Rule(Budget(60, 3600), oneself, Budget(10, 3600)),
    "mfa_authenticate": Rule(Budget(100, 600), halfway),
    "mfa_reauthenticate": Rule(Budget(100, 600), oneself),
    "mfa_activate_totp": Rule(Budget(100, 600), oneself),
    "mfa_login_webauthn": Rule(Budget(60, 600)),
    "accounts:accept": Rule(Budget(60, 600)),
}
# Here a redirect says nothing about whether the account exists, so it must not give a try back.
_NEVER_RIGHT = frozenset({"account_reset_password", "account_email"})


class GuessingMiddleware:
    """Counts tries before the view runs; answers 429 with the time to wait when a budget is used up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        counted: tuple[str, str, Budget] | None = getattr(request, "counted_try", None)
        if counted is not None and response.status_code == 302:
            give_back(request, *counted)
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        name = match.view_name if match is not None else ""
        rule = RULES.get(name)
        if rule is None or request.method in SAFE_METHODS:
            return None
        try:
            self._count(request, name, rule)
        except TooManyTries as refusal:
            return too_many(request, refusal.wait)
        return None

    def _count(self, request: HttpRequest, name: str, rule: Rule) -> None:
        spend(request, f"{name}:address", address_of(request), rule.address)
        account = rule.account(request) if rule.account else ""
        if account:
            counted = (f"{name}:account", account_of(account), rule.tries)
            spend(request, *counted)
            if name not in _NEVER_RIGHT:
                request.counted_try = counted  # type: ignore[attr-defined]  # read above, by the same class
