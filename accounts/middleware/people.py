"""The session of a request, who is signed in with it, and as whom the rest of the request acts."""

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest

from accounts.identity.models import Session, User
from accounts.sessions import Device, SessionStore
from audit import denials
from tenants.context import Actor, Plane, become, current


def actor_for(user: User, session: Session | None) -> Actor:
    """Return the actor of a person or, in the control plane, of an operator."""
    context = current()
    kind = "operator" if context is not None and context.plane is Plane.CONTROL else "person"
    return Actor(
        kind=kind, id=user.pk, label=user.name or user.email, credential=session.short_name if session else ""
    )


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's, which also tells the session what device it is on."""

    def process_request(self, request: HttpRequest) -> None:
        store = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        store.device = Device(
            agent=request.META.get("HTTP_USER_AGENT", ""),
            address=getattr(request, "source", ""),
        )
        request.session = store


class PersonMiddleware(AuthenticationMiddleware):
    """Sets `request.user` from the session's own query, and makes that person the actor.

    What is refused from here on is collected, and written when the request's transaction has ended.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        denials.forget()
        request.after_transaction = [denials.write_collected]  # type: ignore[attr-defined]  # run by PlaneMiddleware
        store: SessionStore = request.session  # type: ignore[assignment]  # set by SessionMiddleware
        person = store.person if store.session_key else None
        request.user = person if person is not None else AnonymousUser()
        if person is not None:
            become(actor_for(person, store.row))
