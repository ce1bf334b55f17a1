"""From a request to a tenant: health, host, origin, and the transaction around the rest."""

import logging
import uuid
from collections.abc import Callable
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.db import transaction
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render

from tenants import elsewhere, hosts, trouble
from tenants.addresses import client_address, site_url
from tenants.breaker import ShardDown
from tenants.context import Actor, NoTenant, control_plane, enter
from tenants.hosts import Answering, Site
from tenants.placement import Stop, Tenant

Next = Callable[[HttpRequest], HttpResponse]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
AROUND_FILE = 1024 * 1024  # what a form may have beside its file
logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answers probes before any look-up of the host, because they arrive by address."""

    path: ClassVar[str] = "/-/health"

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == self.path:
            return HttpResponse("ok\n", content_type="text/plain")
        return self.get_response(request)


class HostMiddleware:
    """Finds what answers on the host, chooses its URLs, and refuses every other host."""

    urlconfs: ClassVar[dict[Site, str]] = {
        Site.PUBLIC: settings.ROOT_URLCONF,
        Site.OPERATORS: settings.URLCONF_OPERATORS,
        Site.CONTENT: settings.URLCONF_CONTENT,
        Site.ORGANISATION: settings.URLCONF_TENANT,
    }

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            host = hosts.normalise(hosts.named(request.META))
        except hosts.BadHost:
            return HttpResponseBadRequest("Bad host.\n", content_type="text/plain")
        try:
            answering = hosts.find(host)
            if answering is not None and _is_elsewhere(answering.tenant):
                # It may have come here this very second.
                answering = hosts.find_again(host)
            if answering is not None and answering.tenant is not None and _is_elsewhere(answering.tenant):
                return elsewhere.answer_for(request, answering.tenant.release)
        except OperationalError:
            logger.exception("the control plane does not answer")
            return trouble.answer(request, trouble.CONTROL_DOWN)
        if answering is None:
            context = {"frame": None, "public_url": f"{site_url(settings.BASE_DOMAIN)}/"}
            return render(request, "errors/unknown_host.html", context, status=404)
        request.answering = answering  # type: ignore[attr-defined]  # typed by tenants.requests
        request.tenant = answering.tenant  # type: ignore[attr-defined]  # typed by tenants.requests
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]  # typed by tenants.requests
        request.source = client_address(request)  # type: ignore[attr-defined]  # typed by tenants.requests
        request.urlconf = self.urlconfs[answering.site]
        return self._closed(request, answering) or self.get_response(request)

    def _closed(self, request: HttpRequest, answering: Answering) -> HttpResponse | None:
        """Return the plain page of an organisation whose state lets nobody in."""
        tenant, whole = answering.tenant, answering.whole
        if tenant is None or not tenant.stops(Stop.REQUESTS):
            return None
        if tenant.stops(Stop.ENTRY) and whole is not None:
            told = {"name": tenant.name, "into": whole.name, "url": f"{site_url(whole.host)}/"}
            return render(request, "errors/part_of.html", {"frame": None, **told}, status=410)
        if tenant.stops(Stop.ENTRY):
            return render(request, "errors/gone.html", {"frame": None}, status=410)
        return render(request, "errors/suspended.html", {"frame": None}, status=503)


def _is_elsewhere(tenant: Tenant | None) -> bool:
    """Return whether another release serves an organisation; one that is gone is nobody's."""
    return tenant is not None and tenant.release != settings.RELEASE and not tenant.stops(Stop.ENTRY)


class OriginMiddleware:
    """Refuses unsafe requests that a page of another host sent.

    SameSite cookies do not protect sibling organisations from each other: they share a site. So the
    exact origin is compared, and a browser's request that names none is refused.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS or self._comes_from_here(request):
            return self.get_response(request)
        return render(request, "errors/403.html", {"frame": None, "reason": "origin"}, status=403)

    def _comes_from_here(self, request: HttpRequest) -> bool:
        origin: str | None = request.META.get("HTTP_ORIGIN")
        site = request.META.get("HTTP_SEC_FETCH_SITE")
        if site not in (None, "same-origin", "none"):
            return False
        if origin is not None:
            here: str = request.META.get("HTTP_HOST", "").lower()
            return urlsplit(origin).netloc.lower() == here
        return site is not None


class PlaneMiddleware:
    """Puts one transaction around the rest of the request, in the plane that the host belongs to.

    The body is read before the transaction begins, so that a slow sender holds none. An answer with an
    error status rolls back; the commit is done before the answer leaves.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answering: Answering = request.answering  # type: ignore[attr-defined]  # set by HostMiddleware
        if (refused := self._spool(request)) is not None:
            return refused
        if answering.site is Site.PUBLIC:
            return self.get_response(request)
        if answering.site is Site.OPERATORS:
            with control_plane(request_id=request.request_id, source=request.source):  # type: ignore[attr-defined]  # set by HostMiddleware
                return self.get_response(request)
        if answering.tenant is None:
            raise NoTenant(f"A {answering.site} site without an organisation.")
        return self._inside(request, answering.tenant)

    def _spool(self, request: HttpRequest) -> HttpResponse | None:
        """Read the body, and return the answer to one that cannot be read."""
        if request.method in SAFE_METHODS:
            return None
        declared = request.META.get("CONTENT_LENGTH") or ""
        if declared.isdecimal() and int(declared) > settings.UPLOAD_LIMIT + AROUND_FILE:
            # Before a byte of it lies on the disk. Nothing beyond what is declared is ever read.
            return render(request, "errors/413.html", {"frame": None}, status=413)
        try:
            _ = request.POST
        except (MultiPartParserError, TooManyFilesSent):
            return render(request, "errors/400.html", {"frame": None}, status=400)
        except (ConnectionError, UnreadablePostError):
            # It came too slowly, or its sender has gone away.
            return render(request, "errors/400.html", {"frame": None}, status=408)
        return None

    def _inside(self, request: HttpRequest, tenant: Tenant) -> HttpResponse:
        try:
            with enter(
                tenant,
                actor=Actor.anonymous(),
                request_id=request.request_id,  # type: ignore[attr-defined]  # set by HostMiddleware
                source=request.source,  # type: ignore[attr-defined]  # set by HostMiddleware
            ) as context:
                response = self.get_response(request)
                if response.status_code >= 400:
                    transaction.set_rollback(True, using=context.alias)
        except ShardDown as problem:
            # Said once, where it was noticed; here there may be hundreds a second.
            logger.info("%s was not served: %s", tenant.slug, problem)
            return trouble.answer(request, trouble.SHARD_DOWN)
        except OperationalError as problem:
            logger.exception("a request of %s on %s broke off", tenant.slug, tenant.alias)
            return trouble.answer(request, trouble.of(problem))
        for finish in getattr(request, "after_transaction", ()):
            finish(tenant)
        return response
