"""Requests of organisations that another release serves: said so to the edge, never served here."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants.models.release import Release, ReleaseState
from tenants.releases import POOL_HEADER

_CHUNK = 65_536


def answer_for(request: HttpRequest, release: str) -> HttpResponse:
    """Return what a process of this release says to a request that belongs to another one.

    The edge follows the header to the pool. Without a pool (the release is unknown or withdrawn, or runs
    nowhere) people see a plain page; nobody else serves them instead.
    """
    known = Release.objects.filter(name=release, state=ReleaseState.OPEN).first()
    if known is None or not known.pool:
        response = render(request, "errors/release.html", {"frame": None}, status=503)
        response["Retry-After"] = "30"
        return response
    _drain(request)
    response = render(
        request, "errors/misdirected.html", {"frame": None}, status=HTTPStatus.MISDIRECTED_REQUEST
    )
    response[POOL_HEADER] = known.pool
    return response


def _drain(request: HttpRequest) -> None:
    """Take in a body that nobody reads: a server that closed before its end would cut its answer off."""
    stream = request.META.get("wsgi.input")
    declared = request.META.get("CONTENT_LENGTH") or "0"
    left = min(int(declared), settings.UPLOAD_LIMIT) if declared.isdecimal() and stream is not None else 0
    try:
        while left > 0 and (chunk := stream.read(min(left, _CHUNK))):  # type: ignore[union-attr]  # seen above
            left -= len(chunk)
    except ConnectionError:
        return
