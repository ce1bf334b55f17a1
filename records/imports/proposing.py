"""The job that reads a file from end to end and says what could become of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from jobs.actions import Run
from records.importing import Source, Unreadable, open_source, propose
from records.imports import store
from records.imports.designs import proposal_to_json
from records.imports.rights import holder_now
from records.imports.targets import Candidate, targets_for
from records.models import Import, ImportState

EXAMPLES = 5


def read_file(run: Run) -> Mapping[str, Any]:
    """Read the file, keep a proposal for it, or the reason why it cannot be read."""
    import_id = UUID(run.payload["import"])
    with run.chunk():
        row = Import.objects.get(pk=import_id)
        holder = holder_now(row.created_by, at=timezone.now())
        store.sweep(at=timezone.now())
        path, folder = store.location(row), store.uploads()
        candidates = [Candidate(one, holder, run.chunk) for one in targets_for(holder)]
        run.checkpoint(note="Reading the file")
    try:
        with (
            run.busy(),
            open_source(path, row.filename, folder=folder, encoding=row.encoding or None) as source,
        ):
            proposal = propose(source, candidates)
            kept = proposal_to_json(proposal, source.sample(EXAMPLES))
            kept["headers"] = list(source.headers)
            kept["about"] = _about(source)
    except Unreadable as problem:
        _refuse(run, row, problem)
        raise
    with run.chunk():
        columns = {"state": ImportState.PROPOSED, "proposal": kept, "rows": proposal.rows}
        Import.objects.filter(pk=import_id, state=ImportState.READING).update(**columns)
        run.checkpoint(done=proposal.rows, total=proposal.rows)
    return {"rows": proposal.rows, "columns": len(proposal.fields)}


def _about(source: Source) -> dict[str, Any]:
    return {"kind": source.kind, "packed": source.packed, "encoding": source.encoding}


def _refuse(run: Run, row: Import, problem: Unreadable) -> None:
    """Keep why the file cannot be read; its content goes, unless it may be read in another way."""
    retry = problem.code == "encoding" and not row.encoding
    with run.chunk(closing=True):
        Import.objects.filter(pk=row.pk).update(
            state=ImportState.REFUSED,
            error=str(problem),
            report={"code": problem.code, "line": problem.line},
            path=row.path if retry else "",
        )
        if not retry:
            store.drop_upload(row)
