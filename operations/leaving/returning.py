"""Coming back: an organisation that was erased lives again, from the export that it took with it.

    laying -> asked -> loaded -> done

It is loaded as a new schema, compared with what the export says, brought to today's migrations and compared
with the template; what must not go on by itself is ended; then the organisation is placed there. Nothing that
was good for the old one is good for this: sessions, invitations and links are ended, the host of its files'
content is another, and what was signed for the old schema is not for this one. Needs the owner's login.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.actions.directory import repair
from operations.actions.fleet import note_made
from operations.actions.placing import Asked, choose
from operations.leaving import archive, sealing
from operations.leaving.problems import CannotReturn
from operations.models import Erasure, ErasureStep, OperatorAct, Return, ReturnStep
from operations.restoring import bundle, places, swapping
from operations.restoring.alone import alone_with
from operations.restoring.gently import resting
from operations.restoring.loaded import bring_to_template
from operations.restoring.problems import Busy, CannotRestore
from tenants import hosts
from tenants.models import Organisation
from tenants.names import new_content_label, new_schema_name
from tenants.placement import State
from tenants.schema import wanted_version

logger = logging.getLogger(__name__)


def ask(source: Path, *, reason: str, by: str, shard: str = "") -> Return:
    """Look at an export, lay it out beside, and write down that its organisation comes back.

    Raises CannotReturn; then nothing is left. NoRoom where no shard takes it.
    """
    if not reason.strip():
        raise CannotReturn("Say why: it is written down.")
    said = archive.read(source)
    organisation = _erased(said)
    with transaction.atomic(using="control"):
        alias = choose(Asked(shard=shard, region=organisation.region, customer=organisation.customer))
    schema = new_schema_name()
    # Held from before the row is there: whoever finds it laid out by nobody may say that it has failed.
    with alone_with(alias, schema):
        row = _begin(organisation, said, source, schema=schema, alias=alias, reason=reason, by=by)
        try:
            archive.unpack(source, said, folder_of(row))
            sealing.unseal(folder_of(row) / "bundle")
        except BaseException as problem:
            _fail(row, f"{problem}")
            raise
        row.note(step=ReturnStep.ASKED)
    return row


def _begin(
    organisation: Organisation,
    said: archive.Said,
    source: Path,
    *,
    schema: str,
    alias: str,
    reason: str,
    by: str,
) -> Return:
    digest = archive.digest_of(source)
    try:
        with transaction.atomic(using="control"):
            return Return.objects.create(
                organisation=organisation,
                reason=reason.strip()[:300],
                asked_by=by,
                asked_at=timezone.now(),
                export_sha256=digest,
                schema_name=schema,
                shard=alias,
                result={"taken_at": said.taken_at, "rows": said.rows},
            )
    except IntegrityError as problem:
        raise CannotReturn(f"{organisation.slug} is coming back already.") from problem


def _erased(said: archive.Said) -> Organisation:
    """Return the organisation of an export; raise CannotReturn unless its data is erased."""
    organisation = Organisation.objects.filter(pk=said.organisation).first()
    if organisation is None:
        raise CannotReturn(f"{said.name} ({said.slug}) was never here.")
    if organisation.part_of is not None:
        raise CannotReturn(
            f"{organisation.name} is a part of {organisation.part_of} since; its data is there."
        )
    erased = Erasure.objects.past_return(organisation).filter(step=ErasureStep.DONE)
    if organisation.state != State.GONE or not erased.exists():
        raise CannotReturn(
            f"The data of {organisation.name} is still here: it is {organisation.state}. "
            "Make it active instead, or bring it back to an earlier time."
        )
    return organisation


def folder_of(row: Return) -> Path:
    """Return where an export is laid out while it is loaded."""
    return places.folder() / "returning" / str(row.pk)


def run(row: Return) -> None:
    """Take a return to its end, from wherever it stands. What fails before the end leaves nothing.

    Raises Busy while another process is at it.
    """
    with alone_with(row.shard, row.schema_name):
        row.refresh_from_db()
        if row.step == ReturnStep.LAYING:
            _fail(row, "Its process ended while the export was laid out. Give the file again.")
        try:
            if row.step == ReturnStep.ASKED:
                _load(row)
            if row.step == ReturnStep.LOADED:
                _open(row)
        except (bundle.Differs, CannotRestore, psycopg.Error, DatabaseError, OSError) as problem:
            if row.step != ReturnStep.ASKED:
                raise  # it is loaded and may be placed already: `run_all` goes on
            logger.exception("%s did not come back", row.organisation.slug)
            _fail(row, f"{type(problem).__name__}: {problem}")


def run_all() -> int:
    """Go on with all returns; return how many came to their ends."""
    done = 0
    for row in Return.objects.open().select_related("organisation"):
        try:
            run(row)
        except (Busy, psycopg.Error, DatabaseError, OSError) as problem:
            logger.warning("the return of %s has not ended: %s", row.organisation.slug, problem)
            continue
        done += 1
    return done


def _load(row: Return) -> None:
    """Load it as a new schema, from the beginning: an earlier try is dropped with all that it wrote."""
    address, schema, folder = places.owner_address(row.shard), row.schema_name, folder_of(row)
    manifest = bundle.load(address, folder / "bundle", schema)
    with resting():
        migrated = bring_to_template(row.shard, schema)
    with resting():
        ended = swapping.settle(address, schema, by=row.asked_by)
    swapping.begin_epoch(
        address, schema, code="organisation.returned", by=row.asked_by, details=_told(row, manifest)
    )
    files = _put_files(folder / "files", Path(settings.MEDIA_ROOT) / schema)
    result = {**row.result, **ended, "tables": len(manifest.tables), "migrated": migrated, "files": files}
    row.note(step=ReturnStep.LOADED, result=result)


def _told(row: Return, manifest: bundle.Manifest) -> dict[str, Any]:
    """Return what the trail says: from what it came back, and that it was away meanwhile."""
    erasure = Erasure.objects.filter(organisation=row.organisation, step=ErasureStep.DONE).first()
    return {
        "export_of": manifest.taken_at,
        "export_sha256": row.export_sha256,
        "erased": erasure.ended_at.isoformat() if erasure and erasure.ended_at else "",
        "reason": row.reason,
    }


def _put_files(source: Path, target: Path) -> int:
    """Give the new schema its content, in place of an earlier try's; return how many files."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    if not source.exists():
        return 0
    shutil.copytree(source, target / "files")
    return sum(path.is_file() for path in (target / "files").rglob("*"))


def _open(row: Return) -> None:
    """Place the organisation in its new schema and let its people in. May be repeated."""
    with transaction.atomic(using="control"):
        organisation = Organisation.objects.select_for_update().get(pk=row.organisation_id)
        if organisation.schema_name != row.schema_name:
            _place(row, organisation)
    hosts.forget()
    repair(organisation)
    shutil.rmtree(folder_of(row), ignore_errors=True)
    row.note(step=ReturnStep.DONE, ended_at=timezone.now())


def _place(row: Return, organisation: Organisation) -> None:
    epoch = int(organisation.epoch) + 1
    with psycopg.connect(places.owner_address(row.shard), autocommit=True) as connection:
        connection.execute("SELECT enclave.adopt(%s, %s)", [row.schema_name, epoch])
    Organisation.objects.filter(pk=organisation.pk).update(
        schema_name=row.schema_name,
        shard_id=row.shard,
        epoch=epoch,
        content_label=new_content_label(),
        release=settings.RELEASE,
        state=State.ACTIVE,
        state_reason=row.reason,
    )
    organisation.refresh_from_db()
    note_made(organisation, version=wanted_version())
    _note(row, organisation)


def _note(row: Return, organisation: Organisation) -> None:
    OperatorAct.write(organisation, State.ACTIVE.value, who=row.asked_by, reason=row.reason)


def _fail(row: Return, problem: str) -> None:
    bundle.drop(places.owner_address(row.shard), row.schema_name)
    shutil.rmtree(folder_of(row), ignore_errors=True)
    shutil.rmtree(Path(settings.MEDIA_ROOT) / row.schema_name, ignore_errors=True)
    row.note(step=ReturnStep.FAILED, error=problem[:2000], ended_at=timezone.now())
