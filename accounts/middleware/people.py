"""The session of a request, who is signed in with it, and as whom the rest of the request acts."""

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse

from accounts.identity.models import Session, User
from accounts.sessions import Device, SessionStore
from audit import denials
from permissions.holder import holder_of
from tenants.context import Actor, Plane, become, current
from tenants.hosts import Site


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
        # Where files are served that anybody may have made, nobody is ever signed in.
        is_content = request.answering.site is Site.CONTENT  # type: ignore[attr-defined]  # set by HostMiddleware
        store = SessionStore(None if is_content else request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        store.device = Device(
            agent=request.META.get("HTTP_USER_AGENT", ""),
            address=getattr(request, "source", ""),
        )
        request.session = store

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """As Django's, which also takes a cookie away that opens nothing; only what was ended here goes.

        Of two requests side by side the first may have put a new token in the place of the old one. The
        answer to the other must not throw the new one away.
        """
        store: SessionStore = request.session  # type: ignore[assignment]  # set above
        answer: HttpResponse = super().process_response(request, response)
        if store.is_empty() and not store.was_ended:
            answer.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        return answer


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
        if person is None:
            return
        if _has_left(request):
            store.flush()
            store.row = None
            request.user = AnonymousUser()
        else:
            become(actor_for(person, store.row))


def _has_left(request: HttpRequest) -> bool:
    """Return whether the last day of who is signed in has passed: nobody need have done anything then."""
    context = current()
    in_organisation = context is not None and context.plane is Plane.TENANT
    return in_organisation and not holder_of(request).is_member
