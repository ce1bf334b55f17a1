"""Signing people in, for the tests of every room."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django.utils import timezone

from accounts.actions.people import add_person
from accounts.identity.models import User
from accounts.sessions import SessionStore
from tenants.context import Actor, control_plane, enter
from tenants.models import Organisation

SETTING_UP = Actor.system("a test")


def visitor(host: str) -> Client:
    """Return the browser of somebody who is not signed in, on a host."""
    return Client(HTTP_HOST=host, headers={"sec-fetch-site": "same-origin", "user-agent": "Tests"})


def signed_in(organisation: Organisation, email: str) -> Client:
    """Return the browser of a person who has signed in, without the work of a password."""
    client = visitor(organisation.primary_host)
    with enter(organisation, actor=SETTING_UP):
        client.cookies[settings.SESSION_COOKIE_NAME] = _session_of(User.objects.get(email=email))
    return client


def operator_signed_in(email: str) -> Client:
    """Return the browser of an operator who has signed in at the console."""
    client = visitor(settings.OPERATORS_HOST)
    with control_plane():
        client.cookies[settings.SESSION_COOKIE_NAME] = _session_of(User.objects.get(email=email))
    return client


def _session_of(user: User) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


def make_person(
    organisation: Organisation, email: str, name: str, *, at: datetime | None = None, **more: Any
) -> User:
    """Return a new person of an organisation, whose address is verified."""
    with enter(organisation, actor=SETTING_UP):
        return add_person(email=email, name=name, at=at or timezone.now(), **more)
