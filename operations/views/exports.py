"""An organisation's exports, on its own site: having one written, and fetching it."""

from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.adapters import say
from accounts.identity.models import User
from audit.actions.events import record
from operations.actions.exports import ask_export
from operations.leaving.problems import CannotLeave
from operations.leaving.shelf import path_of
from operations.models import Export, ExportStep
from operations.models.leaving import FETCHED_WITHIN
from permissions import perms
from permissions.access import requires
from tenants.context import current_tenant, required
from tenants.models import Organisation

_TONES = {ExportStep.ASKED: "info", ExportStep.DONE: "ok", ExportStep.FAILED: "bad"}


@require_http_methods(["GET", "POST"])
@requires(perms.EXPORT_ALL)
def export_list(request: HttpRequest) -> HttpResponse:
    """List the exports that can be fetched or are being written; POST has one written."""
    organisation = Organisation.objects.get(pk=current_tenant().id)
    if request.method == "POST":
        assert isinstance(request.user, User)
        try:
            ask_export(organisation, by=request.user.email)
        except CannotLeave as refusal:
            return _listed(request, organisation, refused=str(refusal))
        record("organisation.export_asked")
        say(request, _("The export is being written."))
        return redirect("exports:list")
    if request.headers.get("HX-Request") and not organisation.exports.filter(step=ExportStep.ASKED).exists():
        # It looked again by itself, and there is nothing more to wait for: the whole page is another one.
        return HttpResponseClientRefresh()
    return _listed(request, organisation)


def _listed(request: HttpRequest, organisation: Organisation, *, refused: str = "") -> HttpResponse:
    found = list(organisation.exports.all()[:20])
    may_ask = not required().stands_still
    context = {
        "exports": [(one, _TONES.get(ExportStep(one.step), "quiet"), _is_there(one)) for one in found],
        "writing": any(one.step == ExportStep.ASKED for one in found),
        "may_ask": may_ask,
        "ask_url": request.path if may_ask else "",
        "days": FETCHED_WITHIN.days,
        "refused": refused,
    }
    return render(request, "operations/exports.html", context, status=422 if refused else 200)


def _is_there(export: Export) -> bool:
    return bool(export.step == ExportStep.DONE) and path_of(export).exists()


@require_safe
@requires(perms.EXPORT_ALL)
def fetch(request: HttpRequest, pk: UUID) -> Any:
    """Send the file of an export of this organisation. That somebody fetched it stands in the trail."""
    mine = Export.objects.filter(organisation=current_tenant().id, step=ExportStep.DONE)
    export = get_object_or_404(mine, pk=pk)
    try:
        # Opened now, in the transaction; sent when that has ended.
        opened = path_of(export).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    details = {"sha256": export.sha256, "of": export.asked_at.isoformat()}
    record("organisation.export_fetched", details=details)
    name = f"{current_tenant().slug}-{export.asked_at:%Y-%m-%d}.zip"
    return FileResponse(opened, as_attachment=True, filename=name, content_type="application/zip")
