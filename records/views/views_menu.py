"""The menu of saved views, and what is done with them."""

from typing import Any

from django.http import HttpRequest

from permissions import perms
from permissions.policies import policy_for
from records.actions import views
from records.models import SavedView
from records.tables import TableQuery
from records.views.places import Place


def shown(request: HttpRequest, place: Place, query: TableQuery) -> dict[str, Any]:
    """Return the views of this list that the person sees, the one that is shown, and whether it differs."""
    holder = place.table.holder
    whose: dict[str, Any] = (
        {"collection": place.collection} if place.collection else {"room": place.table.key}
    )
    seen = list(policy_for(SavedView).visible_to(holder, holder.at).filter(**whose).order_by("name", "pk"))
    current = next((view for view in seen if str(view.pk) == request.GET.get("view")), None)
    plain = query.first_page()
    kept = views.query_of(current, place.table) if current else None
    return {
        "label": current.name if current else ("Views" if plain.encode() else "All records"),
        "current": current,
        "is_all": current is None and not plain.encode(),
        "changed": kept is not None and kept.encode() != plain.encode(),
        "may_change": current is not None and may_change(place, current),
        "entries": [_entry(place, view, current) for view in seen],
        "all_url": place.list_url(),
        "save_url": place.url("view-new"),
        **({} if current is None else _addresses(place, current)),
    }


def _entry(place: Place, view: SavedView, current: SavedView | None) -> dict[str, Any]:
    return {
        "label": view.name,
        "url": place.list_url(views.query_of(view, place.table), view=str(view.pk)),
        "current": current is not None and view.pk == current.pk,
        "shared": view.is_shared,
    }


def _addresses(place: Place, view: SavedView) -> dict[str, str]:
    return {
        "update_url": place.url("view-update", view.pk),
        "edit_url": place.url("view-edit", view.pk),
        "remove_url": place.url("view-remove", view.pk),
    }


def may_change(place: Place, view: SavedView) -> bool:
    """Return whether a person may change a view they see: their own, or a shared one if they design."""
    return view.owner_id == place.table.holder.user_id or (
        view.is_shared and place.may(perms.COLLECTIONS_DESIGN)
    )
