"""The same two pages, drawn with the same components: a list of fifty, and one record."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django_ratelimit.decorators import ratelimit

from benchmarks.stock_pages.flights.models import Flight

COLUMNS = [field for field in Flight._meta.get_fields() if field.concrete and field.name != "id"]
KINDS = {"IntegerField": "integer", "DateTimeField": "datetime", "CharField": "text"}


def page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    """Draw a page in the same frame."""
    frame = {
        "organisation": {"name": "Bench", "mark": "B"},
        "nav": [{"label": "Collections", "items": [{"label": "Flights", "url": "/", "icon": "table-cells"}]}],
        "person": {"name": "Bea", "role": "Owner", "url": "/"},
    }
    return render(request, f"flights/{name}.html", {"frame": frame, **context})


def cells(flight: Flight) -> list[tuple[str, str, Any]]:
    """Return label, kind and value of each column."""
    return [(column.name, KINDS[type(column).__name__], getattr(flight, column.name)) for column in COLUMNS]


@login_required
def plain_list(request: HttpRequest) -> HttpResponse:
    """List the first fifty."""
    rows = [(flight, cells(flight)) for flight in Flight.objects.order_by("-id")[:50]]
    return page(
        request, "list", rows=rows, labels=[column.name for column in COLUMNS], count=Flight.objects.count()
    )


@login_required
def plain_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one."""
    return page(request, "record", cells=cells(get_object_or_404(Flight, pk=pk)))


@ratelimit(key="user", rate="100000/m")
@login_required
def stock_list(request: HttpRequest) -> HttpResponse:
    """List the first fifty that guardian lets the person see."""
    from guardian.shortcuts import get_objects_for_user

    seen = get_objects_for_user(request.user, "view_flight", Flight)
    rows = [(flight, cells(flight)) for flight in seen.order_by("-id")[:50]]
    return page(request, "list", rows=rows, labels=[column.name for column in COLUMNS], count=seen.count())


@ratelimit(key="user", rate="100000/m")
@login_required
def stock_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one with its history, if the person may see it, and note that they did."""
    from auditlog.models import LogEntry
    from auditlog.signals import accessed

    flight = get_object_or_404(Flight, pk=pk)
    if not (
        request.user.has_perm("flights.view_flight") or request.user.has_perm("flights.view_flight", flight)
    ):
        raise PermissionDenied
    accessed.send(Flight, instance=flight)
    history = list(LogEntry.objects.get_for_object(flight)[:20])
    return page(request, "record", cells=cells(flight), history=history)
