"""The trail page: what happened in the organisation, newest first, and each entry's details."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from audit import labels
from audit.access import may_see_trail
from audit.forms import FilterForm
from audit.queries import FOLD, Cursor, Entry, Filters, one, page
from audit.sentences import Said, say
from audit.together import Point, Work
from audit.wording import told
from permissions import perms
from permissions.access import requires

_LIMIT = 2**63
_WRITTEN = 50


@requires(perms.TRAIL_VIEW)
def event_list(request: HttpRequest) -> HttpResponse:
    """Show the trail, filtered; only the further rows when htmx asks for them."""
    _must_see(request)
    form = FilterForm(request.GET)
    filters = form.filters()
    found = page(filters, after=Cursor.parse(request.GET.get("after", "")))
    context = {
        "rows": _rows(request, found.entries),
        "more_url": f"?{_query(request, after=str(found.next))}" if found.next else "",
        "form": form,
        "chips": _chips(request, form),
        "clear_url": reverse("trail:list"),
        "filtered": bool(form.chips() or filters.object_id),
    }
    return _answer(request, "event_list", "_event_rows", context)


@requires(perms.TRAIL_VIEW)
def event_detail(request: HttpRequest, epoch: int, txid: int, eid: int) -> HttpResponse:
    """Show one entry: who, when, where from, and every column before and after."""
    _must_see(request)
    entry = one(epoch, txid, eid) if max(epoch, txid, eid) < _LIMIT and epoch < 2**31 else None
    if entry is None:
        raise Http404
    (said,) = say(labels.as_read_by(request.user, [entry]))
    context = {
        "said": said,
        "facts": _facts(said),
        "url": _detail_url(said),
        "object_url": _object_url(said),
        "rows": [] if entry.label else _written_with(request, entry),
    }
    return _answer(request, "event_detail", "_event_detail", context)


@requires(perms.TRAIL_VIEW)
def event_together(request: HttpRequest, place: str) -> HttpResponse:
    """Show the single entries behind one that stands for many."""
    _must_see(request)
    newest, since = Cursor.parse(place), Cursor.parse(request.GET.get("since", ""))
    work = Work.at(newest, since) if newest is not None else None
    if work is None:
        raise Http404
    entries, following = work.entries(after=Point.parse(request.GET.get("after", "")))
    context = {
        "rows": _rows(request, entries),
        "more_url": f"?{_query(request, after=str(following))}" if following else "",
        "total": work.total(),
    }
    return _answer(request, "event_together", "_event_rows", context)


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
    return f"{url}?since={entry.since}" if entry.since else url


def _detail_url(said: Said) -> str:
    return reverse("trail:detail", args=[said.entry.epoch, said.entry.txid, said.entry.eid])


def _object_url(said: Said) -> str:
    entry = said.entry
    return f"{reverse('trail:list')}?object={entry.object_id}&kind={entry.type_id}" if entry.object_id else ""


def _facts(said: Said) -> list[dict[str, Any]]:
    entry = said.entry
    more = [
        {"label": name.replace("_", " ").capitalize(), "kind": "text", "value": told(value)}
        for name, value in entry.details.items()
    ]
    done_by = entry.by.get("label", "") if entry.by.get("on_behalf_of") else ""
    return [
        *more,
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
