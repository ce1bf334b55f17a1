"""The mails that were caught while developing: on the public site, and only where a catcher runs."""

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs import caught


def _folder() -> Path:
    if not (settings.DEVELOPMENT and settings.MAIL_CATCHER_FOLDER):
        raise Http404
    return Path(settings.MAIL_CATCHER_FOLDER)


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """List them, the newest first."""
    asked = request.GET.get("q", "")
    context = {"mails": caught.newest(_folder(), asked=asked), "asked": asked, "most": caught.MOST_LISTED}
    return render(request, "jobs/caught_list.html", context)


@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one, as text with its links."""
    found = caught.read(_folder(), name)
    if found is None:
        raise Http404
    return render(request, "jobs/caught_detail.html", {"mail": found})
