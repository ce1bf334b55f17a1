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
from records.imports.destinations import destination_of, where
from records.imports.refusals import NotNow
from records.imports.rights import may_undo
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
    url, there = reverse("records:import", args=[row.pk]), destination_of(row)
    twin = actions.same_file(row) if row.state in (ImportState.PROPOSED, ImportState.CHECKED) else None
    return {
        "row": row,
        "target": there.name if there else "",
        "crumbs": crumbs(row),
        "steps": _steps(row),
        "working": working,
        "stopped": stopped,
        "job": job_shown(row.job, at=timezone.now(), may_change=True) if row.job else None,
        "poll_url": f"{url}?seen={phase(row)}" if working else "",
        "urls": {name.replace("-", "_"): reverse(f"records:import-{name}", args=[row.pk]) for name in _VERBS},
        "target_url": list_url(row.collection, row.room) if there else "",
        "start_url": _start_url(row),
        "twin": listed(twin) if twin else None,
        "report": _report(row) if "reasons" in row.report else None,
        "links": _links(request, row) if row.state == ImportState.DONE else [],
        "proposal": row.proposal,
        "was_stale": row.state == ImportState.CHECKED and not row.stamp,
        "may_undo": _may_undo(request, row),
        "zone": timezone.get_current_timezone_name(),
        "accept": FILES,
    }


_STOPPED = (JobState.FAILED, JobState.CANCELLED)
_VERBS = ("design", "mapping", "check", "apply", "result", "undo", "read", "again", "go-on", "drop")


def _start_url(row: Import) -> str:
    if row.room:
        return reverse("records:room-import-into", args=[row.room])
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
    there = destination_of(row)
    return (
        there is not None
        and (row.state == ImportState.DONE or stopped)
        and may_undo(holder_of(request), there)
    )


def _links(request: HttpRequest, row: Import) -> list[dict[str, Any]]:
    """Return the fields elsewhere that can become links to what was imported, where this person designs."""
    told = {(one["collection"], one["field"]): one for one in row.report.get("links", [])}
    if not told or row.collection is None:
        return []
    holder = holder_of(request)
    able = policy_for(Collection).visible_to(holder, holder.at, to=perms.COLLECTIONS_DESIGN)
    fields = Field.objects.filter(
        collection__in=able.values("pk"), deleted_at=None, key__in=[key for _, key in told]
    )
    return [
        {
            **told[here],
            "name": field.name,
            "home": field.collection.name,
            "url": reverse("records:field-design", args=[field.collection.key, field.key])
            + f"?link={row.collection.pk}",
        }
        for field in fields.exclude(type=FieldType.RECORD).select_related("collection")
        if (here := (str(field.collection_id), field.key)) in told
    ]


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
    stopped, there = row.state in WORKING and ended, destination_of(row)
    return {
        "filename": row.filename,
        "url": reverse("records:import", args=[row.pk]),
        "target": there.name if there else "",
        "state": "Stopped" if stopped else ImportState(row.state).label,
        "tone": "bad" if stopped else _TONES.get(ImportState(row.state), "quiet"),
        "count": row.imported or row.good or row.rows,
        "by": row.created_by_label,
        "at": row.applied_at or row.created_at,
    }


def list_url(collection: Collection | None, room: str) -> str:
    """Return the list that shows what was imported."""
    if collection is not None:
        return reverse("records:list", args=[collection.key])
    return reverse("records:room-list", args=[room])


def crumbs(row: Import) -> list[dict[str, str]]:
    """Return the way here."""
    there = destination_of(row)
    if there is None or (row.collection is not None and row.collection.deleted_at is not None):
        return []
    return [{"label": there.name, "url": list_url(row.collection, row.room)}]


def columns_of(row: Import) -> list[Column]:
    """Return the columns of the file. Raises NotNow when they are known no more."""
    if not row.proposal:
        raise NotNow
    return [Column.of(kept) for kept in row.proposal["fields"]]


def design_form(request: HttpRequest, row: Import, data: Any) -> DesignForm:
    """Return the form of a new collection."""
    kept = row.proposal
    return DesignForm(
        columns_of(row), targets_for(holder_of(request)), data, name=kept["name"], title=kept["title"]
    )


def mapping_form(request: HttpRequest, row: Import, data: Any) -> MappingForm:
    """Return the form of the columns, with the fields that this person may fill."""
    there, holder = where(row), holder_of(request)
    own = there.perms_of(holder)
    specs = [
        spec
        for spec in there.specs()
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
    count, changed = actions.records_of(row), actions.changed_since(row)
    told = [f"{count:,} records are deleted for good. They do not go to the recycle bin."]
    if row.room:
        told.append("Rows that others need stay.")
    elif row.collection and (linking := _linking(row.collection)):
        told.append(f"Links to them from {', '.join(linking)} will lead nowhere.")
    told.append("The trail keeps what they held, and that they were imported and deleted.")
    return {**page(request, row), "count": count, "changed": changed, "consequences": told}


def _linking(collection: Collection) -> list[str]:
    """Return the names of other collections that link to one."""
    names = (
        Field.objects.filter(
            type=FieldType.RECORD.value,
            deleted_at=None,
            collection__deleted_at=None,
            options__collection=str(collection.pk),
        )
        .exclude(collection=collection)
        .values_list("collection__name", flat=True)
    )
    return sorted(set(names))
