"""What the pages of an import show, worked out from its row and its job."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from jobs.models import JobState
from jobs.views.showing import shown as job_shown
from permissions import perms
from permissions.holder import holder_of
from permissions.policies import policy_for
from records.actions.refusals import CannotDesign
from records.importing import guess_mapping
from records.imports import actions
from records.imports.refusals import NotNow
from records.imports.targets import targets_for
from records.models import Collection, Field, Import, ImportState
from records.perms import RECORDS_SENSITIVE
from records.values import FieldType
from records.views.import_forms import Column, DesignForm, MappingForm

__all__ = ["CannotDesign", "NotNow"]
FILES = ".csv,.tsv,.txt,.zip,.xlsx"
WORKING = (ImportState.READING, ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING)
_STEPS = (
    ("Read", (ImportState.READING, ImportState.REFUSED)),
    ("Choose", (ImportState.PROPOSED,)),
    ("Check", (ImportState.CHECKING, ImportState.CHECKED)),
    ("Import", (ImportState.APPLYING, ImportState.DONE, ImportState.UNDOING, ImportState.UNDONE)),
)
_TONES = {
    ImportState.DONE: "ok",
    ImportState.REFUSED: "bad",
    ImportState.APPLYING: "info",
    ImportState.CHECKED: "warn",
}


def phase(row: Import) -> str:
    """Return what must change for the page to be drawn anew."""
    ended = row.job.state if row.job is not None and row.job.has_ended else ""
    return f"{row.state}-{ended}" if row.state in WORKING else row.state


def page(request: HttpRequest, row: Import) -> dict[str, Any]:
    """Return the context of the page of an import."""
    stopped = row.state in WORKING and row.job is not None and row.job.state in _STOPPED
    working = row.state in WORKING and not stopped
    url = reverse("records:import", args=[row.pk])
    twin = actions.same_file(row) if row.state in (ImportState.PROPOSED, ImportState.CHECKED) else None
    return {
        "row": row,
        "collection": row.collection,
        "crumbs": crumbs(row.collection),
        "steps": _steps(row),
        "working": working,
        "stopped": stopped,
        "job": job_shown(row.job, at=timezone.now(), may_change=True) if row.job else None,
        "poll_url": f"{url}?seen={phase(row)}" if working else "",
        "urls": {name.replace("-", "_"): reverse(f"records:import-{name}", args=[row.pk]) for name in _VERBS},
        "collection_url": reverse("records:list", args=[row.collection.key]) if row.collection else "",
        "start_url": _start_url(row),
        "twin": listed(twin) if twin else None,
        "report": _report(row) if "reasons" in row.report else None,
        "proposal": row.proposal,
        "was_stale": row.state == ImportState.CHECKED and not row.stamp,
        "may_undo": _may_undo(request, row),
        "accept": FILES,
    }


_STOPPED = (JobState.FAILED, JobState.CANCELLED)
_VERBS = ("design", "mapping", "check", "apply", "result", "undo", "read", "again", "go-on", "drop")


def _start_url(row: Import) -> str:
    if row.collection is not None and not row.makes_collection:
        return reverse("records:import-into", args=[row.collection.key])
    return reverse("records:import-start")


def _steps(row: Import) -> list[dict[str, Any]]:
    here = next(at for at, (_, states) in enumerate(_STEPS) if row.state in states)
    return [
        {"label": label, "current": at == here, "done": at < here} for at, (label, _) in enumerate(_STEPS)
    ]


def _may_undo(request: HttpRequest, row: Import) -> bool:
    stopped = row.state == ImportState.APPLYING and row.job is not None and row.job.has_ended
    if row.collection is None or not (row.state == ImportState.DONE or stopped):
        return False
    holder = holder_of(request)
    own = policy_for(Collection).perms_of(holder, row.collection, holder.at)
    return {perms.RECORDS_IMPORT, perms.RECORDS_DELETE} <= own


def _report(row: Import) -> dict[str, Any]:
    """Return what a check found, for people."""
    report = row.report
    names = {kept["field"]["key"]: kept["field"]["name"] for kept in row.mapping}
    return {
        "reasons": [
            {"column": column, "reason": reason, "rows": rows} for column, reason, rows in report["reasons"]
        ],
        "shown": [
            {"row": number, "column": column, "value": value, "reason": reason}
            for number, column, value, reason in report["shown"]
        ],
        "missing": [{"name": names.get(key, key), "rows": rows} for key, rows in report["missing"].items()],
        "formulas": sum(report["formulas"].values()),
    }


def listed(row: Import) -> dict[str, Any]:
    """Return an import as a line of a list."""
    ended = row.job is not None and row.job.state in _STOPPED
    stopped = row.state in WORKING and ended
    return {
        "filename": row.filename,
        "url": reverse("records:import", args=[row.pk]),
        "collection": row.collection.name if row.collection else "",
        "state": "Stopped" if stopped else ImportState(row.state).label,
        "tone": "bad" if stopped else _TONES.get(ImportState(row.state), "quiet"),
        "count": row.imported or row.good or row.rows,
        "by": row.created_by_label,
        "at": row.applied_at or row.created_at,
    }


def crumbs(collection: Collection | None) -> list[dict[str, str]]:
    """Return the way here."""
    if collection is None or collection.deleted_at is not None:
        return []
    return [{"label": collection.name, "url": reverse("records:list", args=[collection.key])}]


def columns_of(row: Import) -> list[Column]:
    """Return the columns of the file. Raises NotNow when they are known no more."""
    if not row.proposal:
        raise NotNow
    return [Column.of(kept) for kept in row.proposal["fields"]]


def design_form(request: HttpRequest, row: Import, data: Any) -> DesignForm:
    """Return the form of a new collection."""
    return DesignForm(columns_of(row), targets_for(holder_of(request)), data, name=row.proposal["name"])


def mapping_form(request: HttpRequest, row: Import, data: Any) -> MappingForm:
    """Return the form of the columns, with the fields that this person may fill."""
    assert row.collection is not None  # its callers know
    holder = holder_of(request)
    own = policy_for(Collection).perms_of(holder, row.collection, holder.at)
    specs = [
        spec
        for spec in row.collection.specs()
        if spec.type is not FieldType.FILE and (not spec.sensitive or RECORDS_SENSITIVE in own)
    ]
    columns = columns_of(row)
    guessed = {name: spec.key for name, spec in guess_mapping([one.name for one in columns], specs).items()}
    if row.mapping:  # what was chosen before
        guessed = {kept["column"]: "+new" if kept["new"] else kept["field"]["key"] for kept in row.mapping}
    return MappingForm(
        columns,
        specs,
        guessed,
        targets_for(holder),
        data,
        may_design=perms.COLLECTIONS_DESIGN in own,
    )


def undo_page(request: HttpRequest, row: Import) -> dict[str, Any]:
    """Return what undoing an import will do, in sentences."""
    assert row.collection is not None  # its callers know
    count, changed = actions.records_of(row), actions.changed_since(row)
    told = [f"{count:,} records are deleted for good. They do not go to the recycle bin."]
    linking = (
        Field.objects.filter(
            type=FieldType.RECORD.value,
            deleted_at=None,
            collection__deleted_at=None,
            options__collection=str(row.collection.pk),
        )
        .exclude(collection=row.collection)
        .values_list("collection__name", flat=True)
    )
    if linking:
        told.append(f"Links to them from {', '.join(sorted(set(linking)))} will lead nowhere.")
    told.append("The trail keeps what they held, and that they were imported and deleted.")
    return {**page(request, row), "count": count, "changed": changed, "consequences": told}
