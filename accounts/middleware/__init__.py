"""Middlewares of the room: cookies, sessions, who is acting, guessing, the operators' second step."""

from accounts.middleware.cookies import CookieMiddleware
from accounts.middleware.denials import DenialMiddleware
from accounts.middleware.guessing import GuessingMiddleware
from accounts.middleware.operators import SecondStepMiddleware
from accounts.middleware.people import PersonMiddleware, SessionMiddleware
from accounts.middleware.profile import ProfileMiddleware
from accounts.middleware.renewal import RenewalMiddleware
from accounts.middleware.settling import SettlingMiddleware

__all__ = [
    "CookieMiddleware",
    "DenialMiddleware",
    "GuessingMiddleware",
    "PersonMiddleware",
    "ProfileMiddleware",
    "RenewalMiddleware",
    "SecondStepMiddleware",
    "SessionMiddleware",
    "SettlingMiddleware",
]
