"""Base back-ups of the shards' servers, and what is kept of them and of the archived log."""

import hashlib
import logging
import re
import shutil
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import psycopg
from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from operations.models import BaseBackup
from operations.models.backup import OLD_AFTER
from operations.restoring import places
from operations.restoring.gently import gently
from operations.restoring.places import CannotBackUp
from tenants.models import Organisation
from tenants.schema import find_tool

logger = logging.getLogger(__name__)
KEPT_FOR = timedelta(days=3)
LEAST_KEPT = 2
ARCHIVED_WITHIN_SECONDS = 120.0


def back_up(alias: str) -> BaseBackup:
    """Copy the server of a shard, check it, and delete what is no longer needed. Raises CannotBackUp."""
    address = places.backup_address(alias)
    system = system_of(address)
    began = timezone.now()
    target = places.folder() / system / f"{began:%Y%m%dT%H%M%S%f}"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    backup = BaseBackup.objects.create(
        system=system, shards=shards_on(system), folder=str(target), began_at=began
    )
    try:
        _copy(address, target)
        segment = _first_segment(target)
    except CannotBackUp as problem:
        shutil.rmtree(target, ignore_errors=True)
        backup.note(state=BaseBackup.State.FAILED, error=str(problem)[:2000], ended_at=timezone.now())
        raise
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    backup.note(state=BaseBackup.State.GOOD, first_segment=segment, size_bytes=size, ended_at=timezone.now())
    prune(system, alias)
    return backup


def back_up_old(*, at: datetime) -> int:
    """Copy each server whose newest good copy is older than a day; return how many were copied.

    Only where this process was given the login for it; otherwise back-ups are somebody else's. One that
    cannot be copied is written down and keeps nobody from theirs.
    """
    made = 0
    for alias in settings.SHARD_ALIASES:
        last = newest(alias)
        if not places.may_back_up(alias) or (last is not None and last.began_at > at - OLD_AFTER):
            continue
        try:
            back_up(alias)
            made += 1
        except CannotBackUp:
            logger.exception("the server of %s could not be backed up", alias)
    return made


def without_recent(*, at: datetime) -> list[str]:
    """Return the shards with organisations of which no good copy is younger than a day.

    One that is new has a day for its first copy, unless that failed.
    """
    in_use = Organisation.objects.placed().order_by().values_list("shard_id").annotate(Min("created_at"))
    return sorted(str(alias) for alias, since in in_use if _is_wanting(str(alias), since=since, at=at))


def _is_wanting(alias: str, *, since: datetime, at: datetime) -> bool:
    last = newest(alias)
    if last is not None:
        return last.began_at < at - OLD_AFTER - timedelta(hours=2)
    failed = BaseBackup.objects.filter(state=BaseBackup.State.FAILED, shards__contains=[alias])
    return since < at - OLD_AFTER or failed.exists()


def newest(alias: str, *, before: datetime | None = None) -> BaseBackup | None:
    """Return the newest good back-up with this shard in it, which had ended by then."""
    good = BaseBackup.objects.filter(state=BaseBackup.State.GOOD, shards__contains=[alias])
    return (good.filter(ended_at__lte=before) if before else good).first()


def oldest_point(alias: str) -> datetime | None:
    """Return the earliest moment that an organisation of this shard can be brought back to."""
    good = BaseBackup.objects.filter(state=BaseBackup.State.GOOD, shards__contains=[alias])
    first = good.order_by("ended_at").first()
    return first.ended_at if first else None


def prune(system: str, alias: str) -> int:
    """Delete old copies, and what of the archived log none of the kept ones needs; return how many copies.

    The newest ones are kept whatever their age. Copies that a dead process left half made go as well.
    """
    known = BaseBackup.objects.filter(system=system)
    good = list(known.filter(state=BaseBackup.State.GOOD))
    old = [one for one in good[LEAST_KEPT:] if one.began_at < timezone.now() - KEPT_FOR]
    left = list(known.filter(state="running", began_at__lt=timezone.now() - timedelta(days=1)))
    for backup in old + left:
        backup.note(state=BaseBackup.State.PRUNED if backup in old else BaseBackup.State.FAILED)
        shutil.rmtree(backup.folder, ignore_errors=True)
    segments = [one.first_segment for one in good if one not in old]
    if segments:
        command = [str(find_tool("pg_archivecleanup")), str(places.archive(alias)), min(segments)]
        _run(command, "The archived log was not pruned")
    return len(old)


def bring_log(alias: str) -> None:
    """Have everything that was committed until now in the archive; raises CannotBackUp.

    Recovery stops at the first commit after the moment asked for, so there has to be one.
    """
    end = time.monotonic() + ARCHIVED_WITHIN_SECONDS
    with psycopg.connect(places.backup_address(alias), autocommit=True) as connection:
        connection.execute("SELECT pg_current_xact_id()")
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None
    while not (places.archive(alias) / str(row[0])).exists():
        if time.monotonic() > end:
            raise CannotBackUp(f"The server of {alias} does not archive its log; see its log for the reason.")
        time.sleep(0.1)


def system_of(address: str) -> str:
    """Return the number of the server at an address, which its copies share; raises CannotBackUp."""
    try:
        with psycopg.connect(address, autocommit=True) as connection:
            row = connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
    except psycopg.Error as problem:
        raise CannotBackUp(f"The server does not answer: {problem}") from problem
    assert row is not None
    return str(row[0])


def shards_on(system: str) -> list[str]:
    """Return the aliases of the shards on a server."""
    return [alias for alias in settings.SHARD_ALIASES if system_of(places.backup_address(alias)) == system]


def _copy(address: str, target: Path) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(address)
    password = str(parts.pop("password", "") or "")
    copy = [
        str(find_tool("pg_basebackup")),
        f"--pgdata={target}",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
        f"--dbname={psycopg.conninfo.make_conninfo('', **parts)}",
    ]
    _run(copy, "The server was not copied", password=password)
    verify(target)


def verify(target: Path) -> None:
    """Raise CannotBackUp unless every file of a copy is as its manifest says.

    As pg_verifybackup does, which the embedded server's package has in a form that does not run.
    """
    try:
        listed = orjson.loads((target / "backup_manifest").read_bytes())["Files"]
        for entry in listed:
            name = entry["Path"] if "Path" in entry else bytes.fromhex(entry["Encoded-Path"]).decode()
            with (target / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry["Checksum"]:
                    raise CannotBackUp(f"The copy is not what was sent: {name}.")
    except (OSError, ValueError, KeyError) as problem:
        raise CannotBackUp(f"The copy is not whole: {problem}") from problem


def _run(command: list[str], what: str, *, password: str = "") -> None:  # none is needed
    done = subprocess.run(  # noqa: S603  # a program of PostgreSQL with words of ours
        gently(command),
        env={"PGPASSWORD": password, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotBackUp(f"{what}: {done.stderr.strip()}")


def _first_segment(target: Path) -> str:
    """Return the first file of the log that the copy needs, as it says itself."""
    found = re.search(
        r"START WAL LOCATION: .* \(file ([0-9A-F]{24})\)", (target / "backup_label").read_text()
    )
    if found is None:
        raise CannotBackUp("The copy does not say where its log begins.")
    return found[1]
