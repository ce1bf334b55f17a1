"""Slowing down guessing, by address and by account.

django-ratelimit counts in Redis. The address's budget is one for the whole installation, the
account's belongs to its organisation. Without Redis each process counts by itself with a small part
of the budget: slower for everybody, and never unlimited.
"""

import hashlib
import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

from config.errors import error_page
from tenants.context import current
from tenants.middleware import SAFE_METHODS
from tenants.refusals import Refusal

logger = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., HttpResponse])

_PERIODS = {"s": 1, "m": 60, "h": 3600}
# One home has a whole network of IPv6 addresses.
_IPV6_PREFIX = 64


class TooManyTries(Refusal):
    """The budget is used up; `wait` says for how many seconds."""

    code = "too-many-tries"
    status = 429

    def __init__(self, wait: int) -> None:
        super().__init__("Too many tries. Wait a little and try again.")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Budget:
    """So many tries in so many seconds."""

    tries: int
    seconds: int

    @classmethod
    def parse(cls, rate: str) -> "Budget":
        """Read `10/h`, `5/10m`: tries, then a period in seconds (s), minutes (m) or hours (h)."""
        tries, _, period = rate.partition("/")
        return cls(int(tries), int(period[:-1] or 1) * _PERIODS[period[-1]])


@dataclass(slots=True)
class LocalCounter:
    """Counts in this process while Redis is gone; `share` is the part of the budget it gives."""

    share: int = 4
    most_kept: int = 10_000
    _counts: dict[str, tuple[float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, key: str, budget: Budget, *, add: int) -> tuple[int, int, int]:
        """Return the tries so far, the limit, and the seconds until the window ends."""
        now = time.monotonic()
        with self._lock:
            ends, tries = self._counts.get(key, (0.0, 0))
            if ends <= now:
                ends, tries = now + budget.seconds, 0
            tries += add
            if len(self._counts) >= self.most_kept:
                self._drop_oldest(now)
            self._counts[key] = (ends, tries)
        return tries, max(1, budget.tries // self.share), int(ends - now) + 1

    def _drop_oldest(self, now: float) -> None:
        kept = sorted(self._counts.items(), key=lambda item: item[1][0])[self.most_kept // 2 :]
        self._counts = {key: count for key, count in kept if count[0] > now}

    def forget(self) -> None:
        """Start afresh; for tests."""
        self._counts.clear()


local = LocalCounter()


def spend(request: HttpRequest, group: str, value: str, budget: Budget) -> None:
    """Take one try out of a budget; raise TooManyTries when it is used up."""
    tries, limit, left = _count(request, group, value, budget, add=1)
    # A success gives its try back (see `give_back`), so that only failures use the budget up.
    given_back, _, _ = _count(request, group + ":ok", value, budget, add=0)
    if tries - given_back > limit:
        raise TooManyTries(left if left > 0 else budget.seconds)


def give_back(request: HttpRequest, group: str, value: str, budget: Budget) -> None:
    """Return the last try of a budget: it was a success."""
    _count(request, group + ":ok", value, budget, add=1)


def _count(request: HttpRequest, group: str, value: str, budget: Budget, *, add: int) -> tuple[int, int, int]:
    try:
        usage = get_usage(
            request,
            group=group,
            key=lambda _group, _request: value,
            rate=(budget.tries, budget.seconds),
            increment=bool(add),
        )
    except (RedisError, OSError):
        usage = None
    if usage is None or not usage["limit"]:
        logger.warning("Redis does not answer; %s is counted by this process", group)
        return local.count(f"{group}|{value}", budget, add=add)
    return usage["count"], usage["limit"], usage["time_left"]


def address_of(request: HttpRequest) -> str:
    """Return what one sender is counted by: the IPv4 address, or the network of an IPv6 address."""
    source = str(getattr(request, "source", "")) or "nowhere"
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if address.version == 4:
        return source
    return str(ipaddress.ip_network((source, _IPV6_PREFIX), strict=False).network_address)


def account_of(text: str) -> str:
    """Return what one account of the current organisation is counted by; the text itself is not kept."""
    context = current()
    scope = context.organisation.id.hex if context and context.organisation else "operators"
    return f"{scope}:{hashlib.sha256(text.strip().casefold().encode()).hexdigest()}"


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """Answer the page that says when to try again."""
    response = error_page(request, "429", status=429, wait=wait)
    response.headers["Retry-After"] = str(wait)
    return response


def slow_down(group: str, *, rate: str) -> Callable[[View], View]:
    """Limit how often one address may send a form of a view; reading it costs nothing."""
    budget = Budget.parse(rate)

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in SAFE_METHODS:
                try:
                    spend(request, group, address_of(request), budget)
                except TooManyTries as refusal:
                    return too_many(request, refusal.wait)
            return view(request, *args, **kwargs)

        return cast(View, limited)

    return decorate
