"""How pages say what was done, and where they lead afterwards."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from accounts.identity.models import User
from permissions import perms
from permissions.access import get_or_404, signed_in
from permissions.holder import holder_of
from records.actions import undo
from records.actions.done import Done
from records.models import Collection, UndoStep
from records.tables import of_collection
from records.views.seen import address_of

UNDONE_FOR = "an hour after it was done"


def person(request: HttpRequest) -> User:
    """Return who asks; views behind a door of permissions.access have one."""
    if not isinstance(request.user, User):
        raise TypeError("This view has no door: see permissions.access.")
    return request.user


def undo_url(done: Done) -> str:
    """Return where a change is taken back, or ""."""
    return reverse("records:undo", args=[done.undo]) if done.undo else ""


def say_done(request: HttpRequest, done: Done, *, text: str = "") -> None:
    """Say on the next page what was done, with Undo where it can be had."""
    address = undo_url(done)
    messages.success(request, text or done.sentence, extra_tags=f"undo:{address}" if address else "")


def toast(response: HttpResponse, done: Done) -> HttpResponse:
    """Say what was done on the page that stays."""
    detail: dict[str, Any] = {"text": done.sentence, "undo": undo_url(done)}
    trigger_client_event(response, "toast", detail)
    return response


def way_back(request: HttpRequest, default: str) -> str:
    """Return the page that the person came from, if it is one of this host, or else `default`."""
    asked = request.POST.get("next", "") or request.GET.get("next", "")
    if asked and url_has_allowed_host_and_scheme(asked, allowed_hosts=None):
        return asked
    return default


def here_before(request: HttpRequest, default: str) -> str:
    """Return the page whose button was pressed, by the browser's word, if it is one of this host."""
    came = request.headers.get("HX-Current-URL", "") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came, allowed_hosts={request.get_host()}):
        return default
    parts = urlsplit(came)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or default


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def take_back(request: HttpRequest, token: UUID) -> HttpResponse:
    """Take back a change of one's own, while one still may make it; a GET says first what that does."""
    who, at = person(request), timezone.now()
    if request.method != "POST":
        return _ask(request, str(token), who)
    found = undo.collection_of(token=str(token), by=who)
    before = list(UndoStep.objects.filter(token=token, owner_id=who.pk))
    _check_before(request, found, before)
    done = undo.undo(token=str(token), by=who, at=at)
    # Asked afterwards: who was given one record sees its collection only while the record is there.
    collection = get_or_404(holder_of(request), Collection, found.pk, to=perms.COLLECTIONS_VIEW)
    _check_after(request, collection, before)
    messages.success(request, done.sentence)
    if done.job is not None:
        return HttpResponseRedirect(address_of("jobs:detail", done.job))
    home = reverse("records:list", args=[collection.key])
    there = here_before(request, home)
    # The page of a record that was taken back is not there any more.
    return HttpResponseRedirect(home if any(step.kind == "create" for step in before) else there)


def _ask(request: HttpRequest, token: str, who: User) -> HttpResponse:
    found = undo.collection_of(token=token, by=who)
    collection = get_or_404(holder_of(request), Collection, found.pk, to=perms.COLLECTIONS_VIEW)
    home = reverse("records:list", args=[collection.key])
    context = {
        "title": f"Undo {undo.what(token=token, by=who)}",
        "consequences": [
            "What somebody changed since stays as it is.",
            f"It can be undone for {UNDONE_FOR}.",
        ],
        "back_label": f"Open {collection.name}",
        "back_url": home,
        "crumbs": [{"label": collection.name, "url": home}],
    }
    return render(request, "records/undo.html", context)


def _ids(steps: list[UndoStep], *kinds: str) -> set[UUID]:
    found: set[UUID] = set()
    for step in steps:
        if step.kind in kinds:
            found.update(UUID(str(pk)) for pk in step.payload.get("ids", ()))
            found.update(UUID(str(pk)) for pk, _, _ in step.payload.get("changes", ()))
    return found


def _check_before(request: HttpRequest, collection: Collection, steps: list[UndoStep]) -> None:
    _check(request, collection, _ids(steps, "create", "change"), perms.RECORDS_CHANGE)


def _check_after(request: HttpRequest, collection: Collection, steps: list[UndoStep]) -> None:
    # What lies in the bin is no row of the table; a refusal now rolls all of it back.
    _check(request, collection, _ids(steps, "bin"), perms.RECORDS_DELETE)


def _check(request: HttpRequest, collection: Collection, ids: set[UUID], perm: str) -> None:
    holder = holder_of(request)
    table = of_collection(collection, holder, at=holder.at)
    if not ids or perm in table.permissions:
        return
    gone = table.rows(to=perm).filter(pk__in=ids).count() < len(ids)
    if gone:
        get_or_404(holder, Collection, collection.pk, to=perm)
