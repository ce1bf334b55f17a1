"""Writing exports: everything of one organisation in one file. Needs the owner's login."""

import logging
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from operations.leaving import archive, sealing
from operations.leaving.shelf import path_of
from operations.models import Export, ExportStep
from operations.models.leaving import FETCHED_WITHIN
from operations.restoring import bundle, places
from operations.restoring.alone import alone_with
from operations.restoring.loaded import missing_files
from operations.restoring.problems import Busy
from tenants.models import Organisation
from tenants.schema import labels

# Each is a copy of everything on our disk: the newest takes the place of the oldest.
MOST_KEPT = 3
logger = logging.getLogger(__name__)


def run(export: Export) -> None:
    """Write an export. What fails is written down, and nothing of it is left. Raises Busy."""
    organisation = export.organisation
    with alone_with(str(organisation.shard_id), str(organisation.schema_name)):
        export.refresh_from_db()
        if export.step != ExportStep.ASKED:
            return
        try:
            written = write(organisation, path_of(export))
        except (bundle.Differs, psycopg.Error, DatabaseError, OSError) as problem:
            logger.exception("%s was not exported", organisation.slug)
            path_of(export).unlink(missing_ok=True)
            said = f"{type(problem).__name__}: {problem}"[:2000]
            export.note(step=ExportStep.FAILED, error=said, ended_at=timezone.now())
            return
        now = timezone.now()
        export.note(step=ExportStep.DONE, ended_at=now, kept_until=now + FETCHED_WITHIN, **written)
        for old in organisation.exports.filter(step=ExportStep.DONE)[MOST_KEPT:]:
            remove(old)


def write(organisation: Organisation, target: Path) -> dict[str, object]:
    """Write an organisation into a file; return its digest, its size, and what is in it.

    The rows are of one moment. Content is copied after them: what they name stays for a month.
    """
    schema, alias = str(organisation.schema_name), str(organisation.shard_id)
    work = places.folder() / "exporting" / f"{schema}-{target.stem}"
    shutil.rmtree(work, ignore_errors=True)
    try:
        manifest = bundle.write(places.owner_address(alias), schema, work / "bundle", labels=labels())
        sealing.seal(work / "bundle")
        sealing.write_people(places.owner_address(alias), schema, work / "people.csv")
        said = archive.Said(
            organisation=str(organisation.pk),
            slug=str(organisation.slug),
            name=str(organisation.name),
            taken_at=manifest.taken_at,
            rows=manifest.rows,
        )
        files = Path(settings.MEDIA_ROOT) / schema / "files"
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = archive.write(target, said, {"": work, "files/": files})
    finally:
        shutil.rmtree(work, ignore_errors=True)
        with suppress(FileNotFoundError):
            target.with_name(f"{target.name}.partial").unlink()
    inside = {
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "files": sum(name.startswith("files/") for name in said.parts),
        "files_missing": missing_files(organisation, schema),
    }
    return {"sha256": digest, "size_bytes": target.stat().st_size, "result": inside}


def drop_old(*, at: datetime) -> int:
    """Remove the files of exports that could be fetched for long enough; return how many."""
    old = list(Export.objects.filter(step=ExportStep.DONE, kept_until__lt=at))
    for export in old:
        remove(export)
    return len(old)


def remove(export: Export) -> None:
    """Remove the file of an export. What it was stays written down."""
    path_of(export).unlink(missing_ok=True)
    export.note(step=ExportStep.REMOVED, kept_until=None)


def run_all() -> int:
    """Write all exports that were asked for; return how many."""
    done = 0
    for export in Export.objects.filter(step=ExportStep.ASKED).select_related("organisation"):
        try:
            run(export)
        except (Busy, psycopg.OperationalError):
            continue  # it is looked at again
        done += 1
    return done
