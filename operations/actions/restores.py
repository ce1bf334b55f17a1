"""Bringing one organisation back to a moment, beside the live one, and exchanging the two.

    asked -> approved -> read -> loaded -> swapped -> done        (undone: exchanged back)

Each step is written down before the next begins and may be repeated, so a run that was killed goes on
with `resume`. Until the exchange, which is one transaction, the live schema is not touched: whatever
fails before it leaves the organisation as it was. Needs the owner's login, and for a base back-up the
login of back-ups.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from celery import current_app
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from accounts.identity.models import User
from jobs.signing import signed
from operations.actions import backups
from operations.models import OperatorAct, Restore, RestoreStep
from operations.models.backup import KEPT_FOR
from operations.restoring import bundle, places, swapping
from operations.restoring.scratch import recovered
from tenants import hosts
from tenants.context import as_owner
from tenants.models import Organisation
from tenants.names import new_schema_name
from tenants.refusals import Refusal
from tenants.releases import queue_of
from tenants.schema import labels, migrate_schema, version_at, wanted_version

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 5
_LOCK = 0x52455354
GO_ON = "operations.tasks.restore"


class CannotRestore(Refusal):
    """It may not be restored like this; says why."""

    code = "cannot-restore"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore would do: `lost` entries of the trail are of things done since."""

    source: str
    to: datetime
    lost: int


def plan(organisation: Organisation, *, to: datetime | None, from_bundle: Path | None = None) -> Plan:
    """Say what a restore would do; raises CannotRestore. Needs the owner's login."""
    moment, source = _source(organisation, to=to, from_bundle=from_bundle)
    return Plan(source, moment, _lost(organisation, moment))


def _lost(organisation: Organisation, to: datetime) -> int:
    address = places.owner_address(str(organisation.shard_id))
    return swapping.events_after(address, str(organisation.schema_name), to)


def _source(
    organisation: Organisation, *, to: datetime | None, from_bundle: Path | None
) -> tuple[datetime, str]:
    """Return to which moment and from what an organisation would be restored; raises CannotRestore."""
    alias, schema = str(organisation.shard_id), str(organisation.schema_name)
    if from_bundle is not None:
        manifest = bundle.read_manifest(from_bundle)
        if manifest.schema != schema:
            raise CannotRestore(f"{from_bundle} is not a bundle of {organisation.slug}.")
        to = datetime.fromisoformat(manifest.taken_at)
        source = f"the bundle {from_bundle}"
    else:
        if to is None:
            raise CannotRestore("Say to which time.")
        if to >= timezone.now():
            raise CannotRestore("That time has not come yet.")
        if to < organisation.created_at:
            raise CannotRestore(f"{organisation.slug} was made later, at {organisation.created_at}.")
        backup = backups.newest(alias, before=to)
        if backup is None:
            oldest = backups.oldest_point(alias)
            since = (
                f"The oldest point to go back to is {oldest}." if oldest else "There is no back-up at all."
            )
            raise CannotRestore(f"No back-up of {alias} is from before {to}. {since}")
        source = f"the back-up of {backup.began_at:%Y-%m-%d %H:%M:%S} and the log since"
    return to, source


def ask(
    organisation: Organisation, *, to: datetime | None, reason: str, by: User, from_bundle: Path | None = None
) -> Restore:
    """Write down that an operator wants this. Nothing happens before another one approves."""
    if not reason.strip():
        raise CannotRestore("Say why: it is written down.")
    moment, _ = _source(organisation, to=to, from_bundle=from_bundle)
    with transaction.atomic(using="control"):
        if Restore.objects.exclude(step__in=["done", "failed", "undone", "declined"]).count() >= MOST_AT_ONCE:
            raise CannotRestore(f"{MOST_AT_ONCE} restores are open; no more at once.")
        asked = Restore.objects.create(
            organisation=organisation,
            to_time=moment,
            bundle=str(from_bundle or ""),
            reason=reason.strip()[:300],
            asked_by=by.email,
            asked_at=timezone.now(),
        )
        _note(asked, "ask for restore", by.email)
    return asked


def approve(restore: Restore, *, by: User, typed: str) -> None:
    """Let a restore begin; `typed` is the address of the organisation, typed by this other operator."""
    with transaction.atomic(using="control"):
        locked = Restore.objects.select_for_update().get(pk=restore.pk)
        if locked.step != RestoreStep.ASKED:
            raise CannotRestore("It does not wait for anybody.")
        if by.email == locked.asked_by:
            raise CannotRestore("Somebody else has to approve what you asked for.")
        if typed != locked.organisation.slug:
            raise CannotRestore(f"{typed} is not the address of the organisation that would be restored.")
        columns = {"step": RestoreStep.APPROVED, "approved_by": by.email, "approved_at": timezone.now()}
        restore.note(**columns)
        _note(restore, "approve restore", by.email)


def decline(restore: Restore, *, by: User, reason: str = "") -> None:
    """Drop a wish that nobody has approved yet."""
    dropped = Restore.objects.filter(pk=restore.pk, step=RestoreStep.ASKED).update(
        step=RestoreStep.DECLINED, ended_at=timezone.now()
    )
    if not dropped:
        raise CannotRestore("It does not wait for anybody.")
    _note(restore, "decline restore", by.email, reason=reason)


def run(restore: Restore) -> Restore:
    """Take an approved restore to its end, from wherever it is; raises CannotRestore if somebody is at it."""
    with _alone(restore):
        restore.refresh_from_db()
        try:
            for step, do in _STEPS:
                if restore.step == step:
                    do(restore)
        except Exception as problem:
            # What was exchanged, though the answer was lost, is finished by `resume` and never dropped.
            early = (RestoreStep.APPROVED, RestoreStep.READ, RestoreStep.LOADED)
            if restore.step in early and not _is_exchanged(restore):
                logger.exception("restore %s failed; the organisation is as it was", restore.pk)
                _fail(restore, problem)
            else:
                raise
    return restore


def resume() -> Iterator[Restore]:
    """Finish what a dead process left, and yield each."""
    for restore in Restore.objects.unfinished():
        yield run(restore)


def undo(restore: Restore, *, reason: str, by: User) -> None:
    """Exchange the two back, while what was replaced is kept. Raises CannotRestore."""
    with _alone(restore):
        restore.refresh_from_db()
        if restore.step != RestoreStep.DONE or restore.other_schema == "":
            raise CannotRestore("There is nothing kept that could be put back.")
        later = Restore.objects.filter(organisation=restore.organisation, asked_at__gt=restore.asked_at)
        if later.filter(step=RestoreStep.DONE).exclude(other_schema="").exists():
            raise CannotRestore("It was restored again since; undo that first.")
        address = places.owner_address(str(restore.organisation.shard_id))
        _update_schema(restore.organisation, restore.other_schema)
        swapping.settle(address, restore.other_schema, by=by.email)
        swapping.exchange(
            address,
            str(restore.organisation.schema_name),
            restore.other_schema,
            done=1,
            code="organisation.restore_undone",
            by=by.email,
            details={"reason": reason},
        )
        restore.note(step=RestoreStep.UNDONE, ended_at=timezone.now())
        _note(restore, "undo restore", by.email, reason=reason)
        hosts.forget()


def ring() -> int:
    """Wake the owner's worker for each restore that was approved and has come to no end; return how many."""
    waiting = list(Restore.objects.unfinished())
    for restore in waiting:
        arguments = {"restore_id": str(restore.pk)}
        # Nobody needs a message that the next sweep has sent again.
        current_app.send_task(
            GO_ON,
            kwargs=arguments,
            queue=queue_of("owner", settings.RELEASE),
            expires=5,
            headers=signed(GO_ON, arguments),
            retry=False,
        )
    return len(waiting)


def drop_old(*, at: datetime) -> int:
    """Drop what was replaced so long ago that nobody can have it back; return how many."""
    dropped = 0
    for restore in Restore.objects.filter(kept_until__lt=at).exclude(other_schema=""):
        _drop(str(restore.organisation.shard_id), restore.other_schema)
        restore.note(other_schema="", kept_until=None)
        dropped += 1
    return dropped


def folder_of(restore: Restore) -> Path:
    """Return where the bundle of a restore is put while it runs."""
    return places.folder() / "restores" / str(restore.pk)


def _read(restore: Restore) -> None:
    """Read the organisation out of the back-up into a bundle; a bundle that was given is one already."""
    if not restore.bundle:
        alias = str(restore.organisation.shard_id)
        target = folder_of(restore)
        shutil.rmtree(target, ignore_errors=True)
        with at_moment(alias, restore.to_time, folder=target.with_name(f"{target.name}.server")) as address:
            bundle.write(address, str(restore.organisation.schema_name), target, labels=labels())
    lost = _lost(restore.organisation, restore.to_time)
    restore.note(step=RestoreStep.READ, result={**restore.result, "entries_after": lost})


def _load(restore: Restore) -> None:
    """Load it beside the live schema, compare, bring it to today's migrations, and settle it."""
    alias = str(restore.organisation.shard_id)
    address = places.owner_address(alias)
    if not restore.other_schema:
        restore.note(other_schema=new_schema_name())
    source = Path(restore.bundle) if restore.bundle else folder_of(restore)
    manifest = bundle.load(address, source, restore.other_schema)
    _update_schema(restore.organisation, restore.other_schema)
    settled = swapping.settle(address, restore.other_schema, by=restore.approved_by)
    result = {
        **restore.result,
        **settled,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "files_missing": _missing_files(restore.organisation, address, restore.other_schema),
    }
    restore.note(step=RestoreStep.LOADED, result=result)


def _swap(restore: Restore) -> None:
    head = swapping.exchange(
        places.owner_address(str(restore.organisation.shard_id)),
        str(restore.organisation.schema_name),
        restore.other_schema,
        done=0,
        code="organisation.restored",
        by=restore.approved_by,
        details={"to": restore.to_time.isoformat(), "reason": restore.reason, "asked_by": restore.asked_by},
    )
    result = {**restore.result, **({"replaced": head} if head else {})}
    restore.note(step=RestoreStep.SWAPPED, result=result)


def _finish(restore: Restore) -> None:
    hosts.forget()
    shutil.rmtree(folder_of(restore), ignore_errors=True)
    now = timezone.now()
    restore.note(step=RestoreStep.DONE, ended_at=now, kept_until=now + KEPT_FOR)
    _note(restore, "restore", restore.approved_by)


_STEPS = (
    (RestoreStep.APPROVED, _read),
    (RestoreStep.READ, _load),
    (RestoreStep.LOADED, _swap),
    (RestoreStep.SWAPPED, _finish),
)


@contextmanager
def at_moment(alias: str, to: datetime, *, folder: Path) -> Iterator[str]:
    """Yield the address of a throw-away server on which a shard is as it was at a moment."""
    backup = backups.newest(alias, before=to)
    if backup is None:
        raise places.CannotBackUp(f"No back-up of {alias} is from before {to}.")
    backups.bring_log(alias)
    archive = places.archive(alias)
    with recovered(backup=Path(backup.folder), archive=archive, to=to, folder=folder, alias=alias) as address:
        yield address


def _update_schema(organisation: Organisation, schema: str) -> None:
    """Bring a schema to the migrations of today, and see that it became what the live one is."""
    alias, live = str(organisation.shard_id), str(organisation.schema_name)
    with as_owner(alias, schema):
        was = version_at(alias, schema)
    if was != wanted_version():
        migrate_schema(alias, schema)
    with as_owner(alias, schema):
        if version_at(alias, schema) != wanted_version():
            raise CannotRestore("The organisation of then could not be brought to today's migrations.")
        if version_at(alias, live) != wanted_version():
            return  # the live one is behind: there is nothing to compare with
        with connections[alias].cursor() as cursor:
            cursor.execute(_UNLIKE, [schema, live])
            differing = [name for (name,) in cursor.fetchall()]
    if differing:
        raise CannotRestore(f"Differs from the live schema in: {', '.join(differing)}.")


_UNLIKE = """
SELECT coalesce(mine.name, wanted.name)
FROM enclave.digests_of(%s, NULL) AS mine FULL JOIN enclave.digests_of(%s, NULL) AS wanted USING (name)
WHERE mine.digest IS DISTINCT FROM wanted.digest ORDER BY 1
"""


def _missing_files(organisation: Organisation, address: str, schema: str) -> list[str]:
    """Return the files of records whose content is not there; the content lies outside the database."""
    folder = Path(settings.MEDIA_ROOT) / str(organisation.schema_name) / "files"
    query = f"SELECT path FROM {schema}.records_recordfile ORDER BY path".encode()
    with psycopg.connect(address, autocommit=True) as connection:
        names = [str(name) for (name,) in connection.execute(query)]
    return [name for name in names if not (folder / name).exists()][:1000]


def _is_exchanged(restore: Restore) -> bool:
    with psycopg.connect(places.owner_address(str(restore.organisation.shard_id))) as connection:
        query = "SELECT swaps FROM enclave.issued WHERE schema_name = %s"
        row = connection.execute(query, [restore.other_schema]).fetchone()
    return bool(row and row[0])


def _fail(restore: Restore, problem: Exception) -> None:
    if restore.other_schema:
        _drop(str(restore.organisation.shard_id), restore.other_schema)
    shutil.rmtree(folder_of(restore), ignore_errors=True)
    restore.note(
        step=RestoreStep.FAILED,
        error=f"{type(problem).__name__}: {problem}"[:2000],
        ended_at=timezone.now(),
        other_schema="",
    )


def _drop(alias: str, schema: str) -> None:
    with psycopg.connect(places.owner_address(alias), autocommit=True) as connection:
        connection.execute("SELECT enclave.drop_kept(%s)", [schema])


@contextmanager
def _alone(restore: Restore) -> Iterator[None]:
    """Hold off every other process from this organisation's restores."""
    address = places.owner_address(str(restore.organisation.shard_id))
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_LOCK, str(restore.organisation.schema_name)]
        ).fetchone()
        if not row or not row[0]:
            raise CannotRestore("Another process is at it.")
        yield


def _note(restore: Restore, act: str, who: str, **told: Any) -> None:
    organisation = restore.organisation
    OperatorAct.objects.create(
        operator_label=who,
        organisation=organisation,
        organisation_label=f"{organisation.name} ({organisation.slug})",
        act=act,
        reason=told.get("reason") or restore.reason,
    )
