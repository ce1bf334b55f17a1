"""The doors of pages: every view says who may open it, and loads what it shows through a policy.

    @requires(perms.PEOPLE_MANAGE)                    by role, in the whole organisation
    @opens(Record, to=perms.RECORDS_VIEW)             by policy: the view is given the record
    @signed_in                                        every member; what it lists, policies decide
    @public                                           everybody

Signed out: to the sign-in page. Not allowed: 403. Not visible: 404. A view in the organisation's
URLs without one of these is an error at start-up (permissions.checks).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from audit import denials
from permissions import perms
from permissions.holder import Holder, Who, holder_for, holder_of
from permissions.policies import policy_for
from tenants.context import Plane, current
from tenants.refusals import Refusal

Kind = Literal["public", "signed_in", "requires", "opens"]
View = Callable[..., HttpResponse]
Row = TypeVar("Row", bound=Model)
SIGN_IN = "account_login"


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declares: who may open it. `perm` and `model` as far as the kind needs them."""

    kind: Kind
    perm: str = ""
    model: type[Model] | None = None


_elsewhere: dict[str, Access] = {}


def access_of(view: Any) -> Access | None:
    """Return what a view declares, or None."""
    found = getattr(view, "access", None)
    return found if isinstance(found, Access) else None


def declare_elsewhere(kinds: Mapping[str, Kind]) -> None:
    """Declare views of other people's apps by URL name; they check for themselves what is declared here."""
    _elsewhere.update({name: Access(kind) for name, kind in kinds.items()})


def declared_elsewhere() -> Mapping[str, Access]:
    """Return what was declared by URL name."""
    return dict(_elsewhere)


def public(view: View) -> View:
    """Let everybody open the view."""
    view.access = Access("public")  # type: ignore[attr-defined]  # read by access_of
    return view


def signed_in(view: View) -> View:
    """Let every member of the organisation open the view."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _turned_away(request) or view(request, *args, **kwargs)

    guarded.access = Access("signed_in")  # type: ignore[attr-defined]  # read by access_of
    return guarded


def requires(perm: str) -> Callable[[View], View]:
    """Let those open the view whose role gives `perm`. Raises UnknownPermission at import."""
    perms.known(perm)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            turned_away = _turned_away(request)
            if turned_away is not None:
                return turned_away
            if not holder_of(request).holds(perm):
                _deny(perm)
            return view(request, *args, **kwargs)

        guarded.access = Access("requires", perm)  # type: ignore[attr-defined]  # read by access_of
        return guarded

    return decorate


def opens(model: type[Model], *, to: str, arg: str = "pk") -> Callable[[View], View]:
    """Load the object named by the URL's `arg` and give it to the view instead of its key.

    404 if the person does not see it, 403 if they see it and may not do `to`. Raises
    UnknownPermission at import.
    """
    perms.known(to)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            turned_away = _turned_away(request)
            if turned_away is not None:
                return turned_away
            found = get_or_404(holder_of(request), model, kwargs.pop(arg), to=to)
            return view(request, found, *args, **kwargs)

        guarded.access = Access("opens", to, model)  # type: ignore[attr-defined]  # read by access_of
        return guarded

    return decorate


def get_or_404(
    who: Who, model: type[Row], pk: UUID | int | str, *, to: str, at: datetime | None = None
) -> Row:
    """Return the object if a person may do `to` with it now (or at `at`).

    Raises Http404 if they do not even see it, PermissionDenied if they see it and may not, and NoPolicy
    for a model that nobody has registered.
    """
    policy = policy_for(model)
    holder = holder_for(who, at=at or timezone.now())
    found = policy.visible_to(holder, holder.at).filter(pk=pk).first()
    if found is None:
        raise Http404
    if to != policy.view and not policy.allows(holder, to, found, holder.at):
        _deny(to, target=found)
    return found


def check_holds(who: Who, perm: str, *, at: datetime | None = None) -> Holder:
    """Return the holder if they hold `perm` in the whole organisation; raise PermissionDenied otherwise."""
    holder = holder_for(who, at=at or timezone.now())
    if not holder.holds(perm):
        _deny(perm)
    return holder


def note_refusal(request: HttpRequest, problem: Exception) -> None:
    """Remember for the trail that somebody was refused, unless that was done with more words before.

    What is no refusal of a right (a rule about the matter, a bug) is none of its business, and neither
    is what happens outside of an organisation.
    """
    context = current()
    if context is None or context.plane is not Plane.TENANT or denials.any_collected():
        return
    page = f"{request.method} {request.path}"
    if isinstance(problem, PermissionDenied):
        denials.collect("access.denied", details={"what": page})
    elif isinstance(problem, Refusal) and problem.status == HTTPStatus.FORBIDDEN:
        denials.collect("access.denied", details={"what": str(problem), "page": page})


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Return the way to the sign-in page and back again, for a page or for a fragment of one."""
    here = request.get_full_path()
    if getattr(request, "htmx", False):
        address = urlsplit(request.headers.get("HX-Current-URL", ""))
        here = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
    target = f"{reverse(SIGN_IN)}?{urlencode({'next': here})}"
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(target)
    return HttpResponseRedirect(target)


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    """Return the way to sign-in for who is signed out; raise PermissionDenied for who does not belong."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    if not holder_of(request).is_member:
        raise PermissionDenied
    return None


def _deny(perm: str, *, target: Model | None = None) -> None:
    """Remember the refusal for the trail and raise PermissionDenied."""
    denials.collect(
        "access.denied",
        target=target,
        details={"what": str(perms.known(perm).label).lower(), "perm": perm},
    )
    raise PermissionDenied
