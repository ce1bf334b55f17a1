"""What a person does with an import. The caller has checked that they see it; rights are asked here anew."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.identity.models import User
from jobs.actions import cancel, retry
from jobs.models import Job
from records.actions import collections
from records.actions.files import clean_name
from records.finding import forget_design
from records.imports import store
from records.imports.designs import ColumnChoice, mapping_to_json
from records.imports.destinations import into, where
from records.imports.refusals import MappingRefused, NotAllowedAnyMore, NotNow
from records.imports.rights import check_may_import, holder_now, may_begin, may_undo
from records.imports.starting import CHECK, READ, UNDO, locked, start, start_loading, twin_of
from records.imports.store import Spool
from records.imports.targets import NAMING
from records.models import Collection, Import, ImportState, Record
from records.models.imports import MissingLink
from records.rooms import Room
from records.values import FieldSpec, FieldType

# Files of fewer rows are imported right after the check if nothing at all is refused.
STRAIGHT_ROWS = 5_000
OPEN = (ImportState.PROPOSED, ImportState.CHECKED)


def begin(
    *,
    upload: "UploadedFile[bytes]",
    name: str,
    collection: Collection | None,
    room: Room | None = None,
    by: User,
    at: datetime,
) -> Import:
    """Keep a file and have it read, for a collection, a room or a new collection. Raises UploadRefused."""
    holder = holder_now(by.pk, at=at)
    if (table := room or collection) is not None:
        check_may_import(holder, into(table))
    elif not may_begin(holder):
        raise NotAllowedAnyMore("You may not make collections.")
    kept = store.keep(upload)
    with transaction.atomic():
        row = Import.objects.create(
            collection=collection,
            room=room.key if room else "",
            filename=clean_name(name),
            digest=kept.digest,
            size=kept.size,
            path=kept.path,
            created_at=at,
            created_by=by.pk,
            created_by_label=str(by)[:200],
        )
        start(row, READ, f"Read {row.filename}", to=ImportState.READING, by=by)
    return row


def read_as(*, row: Import, encoding: str, by: User) -> Job:
    """Read a file again, which the person says is in this encoding. Raises NotNow."""
    with transaction.atomic():
        now = locked(row, ImportState.REFUSED)
        if not now.path or now.encoding or encoding != "cp1252":
            raise NotNow
        now.encoding, now.error = encoding, ""
        now.save(update_fields=["encoding", "error"])
        return start(now, READ, f"Read {now.filename}", to=ImportState.READING, by=by)


def make_collection(
    *,
    row: Import,
    name: str,
    choices: Sequence[ColumnChoice],
    on_missing: MissingLink,
    zone: str,
    by: User,
    at: datetime,
    title: str | None = None,
) -> Job:
    """Make the collection that was agreed on and check the file against it.

    `title` is the column that names its records, "" for none; by default the one that was proposed.

    Raises MappingRefused, CannotDesign, NotNow, NotAllowedAnyMore.
    """
    with transaction.atomic():
        now = locked(row, ImportState.PROPOSED)
        if now.room or now.collection_id is not None:
            raise NotNow
        if not may_begin(holder_now(by.pk, at=at)):
            raise NotAllowedAnyMore("You may not make collections any more.")
        _check_choices(choices, ())
        now.collection = collections.create(
            name=name,
            by=by,
            at=at,
            fields=[one.spec for one in choices],
            title_key=_title(choices, now.proposal["title"] if title is None else title),
        )
        now.makes_collection = True
        now.save(update_fields=["collection", "makes_collection"])
        made = [
            ColumnChoice(one.column, one.spec, False, one.markers, one.match, one.linked) for one in choices
        ]
        return _check(now, made, on_missing, zone, by)


def choose_columns(
    *,
    row: Import,
    choices: Sequence[ColumnChoice],
    on_missing: MissingLink,
    zone: str,
    by: User,
    at: datetime,
) -> Job:
    """Say where the columns go in a table that exists, and check the file.

    Raises MappingRefused, NotNow, NotAllowedAnyMore.
    """
    with transaction.atomic():
        now = locked(row, *OPEN)
        if now.collection is not None:
            forget_design(now.collection)
            _check_new(choices, now.collection)
        elif not now.room:
            raise NotNow
        there = where(now)
        check_may_import(holder_now(by.pk, at=at), there, choices)
        _check_choices(choices, [spec.name for spec in there.specs() if spec.required and not _is_file(spec)])
        return _check(now, choices, on_missing, zone, by)


def check_again(*, row: Import, by: User, at: datetime) -> Job:
    """Check a file again with the choices made before, because something changed since."""
    with transaction.atomic():
        now = locked(row, ImportState.CHECKED)
        check_may_import(holder_now(by.pk, at=at), where(now))
        return start(now, CHECK, _label(now), to=ImportState.CHECKING, by=by, total=now.rows)


def apply(*, row: Import, by: User, at: datetime) -> Job:
    """Begin to load what was checked. See `starting.start_loading` for what it raises."""
    return start_loading(row, by=by, at=at)


def allow_again(*, row: Import) -> None:
    """Note that the person wants this file although its rows are there already."""
    Import.objects.filter(pk=row.pk).update(again=True)


def undo(*, row: Import, keep_changed: bool, by: User, at: datetime) -> Job:
    """Begin to take the records of an import out again, for good.

    An import that stopped half way can be undone too. Raises NotNow, NotAllowedAnyMore.
    """
    with transaction.atomic():
        now = locked(row, ImportState.DONE, ImportState.APPLYING)
        if now.state == ImportState.APPLYING and now.job is not None and not now.job.has_ended:
            raise NotNow
        if not may_undo(holder_now(by.pk, at=at), where(now)):
            raise NotAllowedAnyMore
        if now.state == ImportState.APPLYING:
            now.imported = records_of(now)
            now.save(update_fields=["imported"])
        job = start(now, UNDO, f"Undo {now.filename}", to=ImportState.UNDOING, by=by, total=now.imported)
        Job.objects.filter(pk=job.pk).update(payload={**job.payload, "keep": keep_changed})
        return job


def go_on(*, row: Import) -> Job:
    """Let the work of an import that failed or was cancelled go on where it stopped. Raises JobNotFailed."""
    if row.job is None:
        raise NotNow
    return retry(job=row.job)


def drop(*, row: Import, by: User, at: datetime) -> Collection | None:
    """Give an import up before anything was loaded; return the collection that it was for, if it is there.

    A collection that was made for this file and is still empty goes to the bin. Raises NotNow.
    """
    with transaction.atomic():
        now = locked(row, ImportState.READING, *OPEN, ImportState.CHECKING, ImportState.REFUSED)
        if now.job is not None and not now.job.has_ended:
            cancel(job=now.job, at=at)
        there = now.collection
        if (
            there is not None
            and now.makes_collection
            and not Record.objects.filter(collection=there).exists()
        ):
            if there.deleted_at is None:
                collections.move_to_bin(collection=there, by=by, at=at)
            there = None
        Spool.of(now.pk, now.stamp or "none").drop()
        store.drop_upload(now)
        now.delete()
    return there


def records_of(row: Import) -> int:
    """Return how many records of an import there are."""
    return where(row).count(row.pk)


def changed_since(row: Import) -> int:
    """Return how many records of an import somebody has changed."""
    return where(row).changed(row.pk)


def same_file(row: Import) -> Import | None:
    """Return the import that has brought this file's rows in already, unless the person wants it twice."""
    return None if row.again else twin_of(row)


def _check(row: Import, choices: Sequence[ColumnChoice], on_missing: MissingLink, zone: str, by: User) -> Job:
    row.mapping, row.on_missing, row.zone = mapping_to_json(choices), on_missing, zone
    row.straight = row.rows <= STRAIGHT_ROWS
    row.stamp = ""
    row.save(update_fields=["mapping", "on_missing", "zone", "straight", "stamp"])
    return start(row, CHECK, _label(row), to=ImportState.CHECKING, by=by, total=row.rows)


def _label(row: Import) -> str:
    return f"Check {row.filename} for {where(row).name}"


def _title(choices: Sequence[ColumnChoice], column: str) -> str:
    """Return the field that a column went to, if it can name records."""
    return next((one.spec.key for one in choices if one.column == column and one.spec.type in NAMING), "")


def _check_new(choices: Sequence[ColumnChoice], collection: Collection) -> None:
    taken = {field.key for field in collection.fields.all()}
    clash = [one.spec.key for one in choices if one.is_new and one.spec.key in taken]
    if clash:
        raise MappingRefused(f"There is a field called {clash[0]} already.")


def _is_file(spec: FieldSpec) -> bool:
    """Return whether a field holds a file: no column can bring it, it is filled on the record afterwards."""
    return spec.type is FieldType.FILE


def _check_choices(choices: Sequence[ColumnChoice], required: Iterable[str]) -> None:
    if not choices:
        raise MappingRefused("Choose at least one column.")
    names = [one.spec.name for one in choices]
    keys = [one.spec.key for one in choices]
    for name, key in zip(names, keys, strict=True):
        if keys.count(key) > 1 or [other.casefold() for other in names].count(name.casefold()) > 1:
            raise MappingRefused(f"Two columns go to {name}. Each field takes one column.")
    lacking = [name for name in required if name not in names]
    if lacking:
        raise MappingRefused(f"{lacking[0]} is required, but no column goes to it.")
