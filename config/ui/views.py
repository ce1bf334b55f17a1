"""The gallery: every component in its states and whole pages made of them. For development only."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config.ui import samples
from config.ui.brand import brand_css
from config.ui.colour import Colour, NotAColour

PAGES = {
    "": "components/gallery.html",
    "records": "components/gallery_records.html",
    "record": "components/gallery_record.html",
    "rows": "components/gallery_rows.html",
    "panel": "components/gallery_panel.html",
    "empty": "components/gallery_empty.html",
    "sign-in": "components/gallery_sign_in.html",
    "public": "components/gallery_public.html",
}


@require_safe
def gallery(request: HttpRequest, page: str = "") -> HttpResponse:
    """One page of the gallery; `?brand=e11d48` shows it in another colour. Unknown pages are 404."""
    if page not in PAGES:
        raise Http404
    return render(request, PAGES[page], context(request))


@require_safe
def brand(request: HttpRequest, digits: str) -> HttpResponse:
    """The stylesheet of a colour, as an organisation's own would be."""
    try:
        colour = Colour.parse(f"#{digits}")
    except NotAColour as wrong:
        raise Http404 from wrong
    return HttpResponse(brand_css(colour), content_type="text/css; charset=utf-8")


@require_safe
def edit(request: HttpRequest) -> HttpResponse:
    """The form of an edit in place."""
    form = samples.InviteForm(initial={"email": "mira@pulse.example"})
    return render(request, "components/edit.html", {"field": form["email"], "action": request.path})


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """The jobs at the foot of the sidebar."""
    return render(request, "components/jobs.html", {"jobs": [samples.job()], "jobs_url": ""})


def context(request: HttpRequest) -> dict[str, Any]:
    """Everything the gallery's templates draw from."""
    frame = samples.frame() | {"jobs_url": reverse("ui:jobs")}
    if digits := request.GET.get("brand"):
        frame["brand_url"] = reverse("ui:brand", args=[digits])
    wrong = samples.InviteForm(
        {"email": "mira@", "role": "guest", "groups": ["door"], "note": "See you at the door."}
    )
    return {
        "frame": frame,
        "readings": samples.readings(),
        "form": samples.InviteForm(),
        "wrong": wrong,
        "job": samples.job(),
        "job_waiting": {
            "label": "Exporting Events",
            "running": True,
            "state_label": "Waiting",
            "tone": "quiet",
        },
        "job_done": {
            "label": "Importing night-13.csv",
            "state_label": "Done",
            "tone": "ok",
            "total": 98_211,
            "done": 98_211,
            "url": "#",
        },
        "entries": samples.entries(),
        "facts": samples.facts(),
        "more_url": "" if "rows" in request.path else reverse("ui:gallery", args=["rows"]),
        "crumbs": [{"label": "Crowd readings", "url": "#"}],
        "actions": [
            {"label": "Edit", "url": "#", "icon": "pencil-square"},
            {"label": "Share", "url": "#", "icon": "share"},
            {"label": "Export", "url": "#", "icon": "arrow-down-tray"},
            {"label": "Move to the bin", "url": "#", "icon": "trash", "tone": "danger"},
        ],
        "menu": [
            {"label": "Rename", "url": "#", "icon": "pencil-square"},
            {"label": "Invite a person", "url": "#", "icon": "user-plus", "dialog": "invite"},
            {"label": "Delete Events", "dialog": "gone", "icon": "trash", "tone": "danger", "divider": True},
        ],
        "tabs": [
            {"label": "People", "url": "#", "current": True, "count": 41},
            {"label": "Groups", "url": "#", "count": 6},
            {"label": "Roles", "url": "#"},
        ],
        "consequences": [
            "212 records of Events",
            "3 saved views and 2 shares",
            "Links to it in Crowd readings become empty",
        ],
    }
