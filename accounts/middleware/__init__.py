"""Middlewares of the room: cookies, sessions, who is acting, guessing, the operators' second step."""

from accounts.middleware.cookies import CookieMiddleware
from accounts.middleware.people import PersonMiddleware, SessionMiddleware

__all__ = ["CookieMiddleware", "PersonMiddleware", "SessionMiddleware"]
