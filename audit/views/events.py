"""The trail page: what happened in the organisation, newest first, and each entry's details."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from audit import labels, origins
from audit.access import may_see_trail
from audit.forms import FilterForm
from audit.origins import Origin
from audit.queries import FOLD, Cursor, Entry, Filters, one, page
from audit.sentences import Said, say
from audit.together import Point, Work
from audit.wording import told
from permissions import perms
from permissions.access import requires
from tenants.context import current_tenant

_LIMIT = 2**63
_WRITTEN = 50


@requires(perms.TRAIL_VIEW)
def event_list(request: HttpRequest) -> HttpResponse:
    """Show the trail, filtered; only the further rows when htmx asks for them."""
    _must_see(request)
    known, origin = origins.kept(), _origin(request)
    form = FilterForm(request.GET)
    filters = form.filters()
    with origins.reading(origin):
        found = page(filters, after=Cursor.parse(request.GET.get("after", "")))
        rows = _rows(request, found.entries)
    context = {
        "rows": rows,
        "origin": origin,
        "trails": _trails(known, origin) if known else [],
        "more_url": f"?{_query(request, after=str(found.next))}" if found.next else "",
        "form": form,
        "chips": _chips(request, form),
        "clear_url": _of(reverse("trail:list"), origin),
        "filtered": bool(form.chips() or filters.object_id),
    }
    return _answer(request, "event_list", "_event_rows", context)


@requires(perms.TRAIL_VIEW)
def event_detail(request: HttpRequest, epoch: int, txid: int, eid: int) -> HttpResponse:
    """Show one entry: who, when, where from, and every column before and after."""
    _must_see(request)
    with origins.reading(_origin(request)):
        entry = one(epoch, txid, eid) if max(epoch, txid, eid) < _LIMIT and epoch < 2**31 else None
        if entry is None:
            raise Http404
        (said,) = say(labels.as_read_by(request.user, [entry]))
        rows = [] if entry.label else _written_with(request, entry)
    context = {
        "said": said,
        "facts": _facts(said),
        "url": _detail_url(said),
        "object_url": _object_url(said),
        "rows": rows,
    }
    return _answer(request, "event_detail", "_event_detail", context)


@requires(perms.TRAIL_VIEW)
def event_together(request: HttpRequest, place: str) -> HttpResponse:
    """Show the single entries behind one that stands for many."""
    _must_see(request)
    newest, since = Cursor.parse(place), Cursor.parse(request.GET.get("since", ""))
    with origins.reading(_origin(request)):
        work = Work.at(newest, since) if newest is not None else None
        if work is None:
            raise Http404
        entries, following = work.entries(after=Point.parse(request.GET.get("after", "")))
        rows, total = _rows(request, entries), work.total()
    context = {
        "rows": rows,
        "more_url": f"?{_query(request, after=str(following))}" if following else "",
        "total": total,
    }
    return _answer(request, "event_together", "_event_rows", context)


def _origin(request: HttpRequest) -> Origin | None:
    """Return whose trail an address asks for, None for the own one; Http404 for one that is not here."""
    said = request.GET.get("of", "")
    if not said:
        return None
    origin = origins.find(said)
    if origin is None:
        raise Http404
    return origin


def _trails(known: Sequence[Origin], chosen: Origin | None) -> list[dict[str, Any]]:
    """Return links to the own trail and to those of others that are kept here."""
    own = {"label": current_tenant().name, "url": reverse("trail:list"), "current": chosen is None}
    return [
        own,
        *(
            {"label": one.name, "url": _of(reverse("trail:list"), one), "current": one == chosen}
            for one in known
        ),
    ]


def _of(url: str, origin: Origin | UUID | None) -> str:
    """Return an address for the trail of another organisation."""
    if origin is None:
        return url
    source = origin.source if isinstance(origin, Origin) else origin
    return f"{url}{'&' if '?' in url else '?'}of={source}"


def _must_see(request: HttpRequest) -> None:
    if not may_see_trail(request.user):
        raise PermissionDenied


def _answer(request: HttpRequest, whole: str, part: str, context: dict[str, Any]) -> HttpResponse:
    htmx: Any = getattr(request, "htmx", None)
    fragment = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    response = render(request, f"audit/{part if fragment else whole}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _rows(request: HttpRequest, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [_row(said) for said in say(labels.as_read_by(request.user, entries))]


def _written_with(request: HttpRequest, entry: Entry) -> list[dict[str, Any]]:
    """Return the rows that were written in the transaction of something that was meant."""
    found = page(Filters(transaction=(entry.epoch, entry.txid)), size=_WRITTEN).entries
    return _rows(request, [one for one in found if one.label][:_WRITTEN])


def _row(said: Said) -> dict[str, Any]:
    entry = said.entry
    many = entry.count >= FOLD
    url = _together_url(entry) if many else _detail_url(said)
    return {"said": said, "url": url, "many": many}


def _together_url(entry: Entry) -> str:
    url = reverse("trail:together", args=[str(entry.place)])
    return _of(f"{url}?since={entry.since}" if entry.since else url, entry.origin_id)


def _detail_url(said: Said) -> str:
    url = reverse("trail:detail", args=[said.entry.epoch, said.entry.txid, said.entry.eid])
    return _of(url, said.entry.origin_id)


def _object_url(said: Said) -> str:
    entry = said.entry
    url = f"{reverse('trail:list')}?object={entry.object_id}&kind={entry.type_id}"
    return _of(url, entry.origin_id) if entry.object_id else ""


def _facts(said: Said) -> list[dict[str, Any]]:
    entry = said.entry
    more = [
        {"label": name.replace("_", " ").capitalize(), "kind": "text", "value": told(value)}
        for name, value in entry.details.items()
    ]
    done_by = entry.by.get("label", "") if entry.by.get("on_behalf_of") else ""
    return [
        *more,
        *([{"label": "In the trail of", "kind": "text", "value": entry.origin}] if entry.origin else []),
        {"label": "When", "kind": "timestamp", "value": said.at},
        {"label": "From address", "kind": "text", "value": entry.source},
        *([{"label": "Done by", "kind": "text", "value": done_by}] if done_by else []),
        {"label": "Request", "kind": "text", "value": entry.request_id},
        {"label": "Signed in with", "kind": "text", "value": entry.by.get("credential", "")},
        {"label": "Action", "kind": "text", "value": entry.code},
        {
            "label": "Place in the trail",
            "kind": "text",
            "value": f"{entry.epoch} / {entry.txid} / {entry.eid}",
        },
    ]


def _query(request: HttpRequest, *, without: str = "", **changes: str) -> str:
    """Return the page's address with something changed or taken out."""
    query = request.GET.copy()
    for name in (without, "after"):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    return query.urlencode()


def _chips(request: HttpRequest, form: FilterForm) -> list[dict[str, str]]:
    chips = [
        {
            "field": words,
            "condition": condition,
            "value": value,
            "remove_url": f"?{_query(request, without=name)}",
        }
        for name, words, condition, value in form.chips()
    ]
    key: UUID | None = form.cleaned_data.get("object")
    if key:
        kind = form.cleaned_data.get("kind")
        named = labels.names_for({int(kind): {key}}).get((int(kind), key)) if kind else None
        value = named.label if named else str(key)
        chips.append(
            {
                "field": "About",
                "condition": "",
                "value": value,
                "remove_url": f"?{_query(request, without='object')}",
            }
        )
    return chips
