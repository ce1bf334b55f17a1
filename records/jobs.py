"""The long work of this room: indexes, conversions, changes of many records."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from accounts.identity.models import User
from audit.actions import events
from jobs.actions import Run
from jobs.models import Job
from jobs.registry import kind
from permissions import perms
from records.actions import bulk, undo
from records.actions.fields import convert_some
from records.indexes import making
from records.indexes.rules import KIND as INDEX_KIND
from records.indexes.rules import plan
from records.models import Collection, Field, IndexState, UndoStep
from records.models.index import IndexStatus
from records.tables import CollectionTable, of_collection
from records.values import Choice, FieldSpec
from tenants.context import as_owner

CHUNK = 1_000


@kind(INDEX_KIND, queue="owner", label="Prepare searching and sorting")
def prepare_indexes(run: Run) -> Mapping[str, Any]:
    """Make the indexes that a collection wants and drop those it wants no more, one after the other."""
    done = 0
    with run.chunk():
        states = list(
            IndexState.objects.filter(
                collection_id=run.payload["collection"],
                status__in=[IndexStatus.WANTED, IndexStatus.UNWANTED],
            )
        )
        types = dict(Field.objects.filter(collection_id=run.payload["collection"]).values_list("key", "type"))
        run.checkpoint(total=len(states))
    for state in states:
        error = _work_on(run, state, types.get(state.field_key, ""))
        done += 1
        with run.chunk():
            _settle(state, error)
            run.checkpoint({}, done=done)
    return {"indexes": done}


def _work_on(run: Run, state: IndexState, field_type: str) -> str:
    """Do what a state wants; return what PostgreSQL said against it, "" when it is done."""
    with run.busy(), as_owner(run.tenant.alias, run.tenant.schema):
        try:
            if state.status == IndexStatus.UNWANTED:
                making.drop(state.name)
            else:
                making.build(state.name, state.kind, str(state.collection_id), state.field_key, field_type)
        except DatabaseError as problem:
            return str(problem)
    return ""


def _settle(state: IndexState, error: str) -> None:
    row = IndexState.objects.filter(pk=state.pk, status=state.status)
    if error:
        row.update(status=IndexStatus.FAILED, error=error[:1000])
    elif state.status == IndexStatus.UNWANTED:
        row.delete()
    else:
        row.update(status=IndexStatus.READY, ready_at=timezone.now(), error="")


@kind("records.convert", label="Convert a field")
def convert_field(run: Run) -> Mapping[str, Any]:
    """Write the values of a field as its new type says, from the record where the last chunk ended."""
    old = _spec(run.payload["old"])
    after, done = UUID(run.state["after"]) if run.state else None, run.done or 0
    while True:
        with run.chunk():
            field = Field.objects.select_related("collection").get(pk=run.payload["field"])
            after, looked = convert_some(
                field,
                old,
                after=after,
                limit=CHUNK,
                by=run.created_by_id,
                at=timezone.now(),
                zone=_zone(run),
            )
            if not looked:
                plan(field.collection)
                return {"records": done}
            done += looked
            run.checkpoint({"after": str(after)}, done=done, total=field.collection.record_count())


def _spec(kept: Mapping[str, Any]) -> FieldSpec:
    choices = tuple(Choice(**choice) for choice in kept["choices"])
    return FieldSpec(kept["key"], kept["name"], kept["type"], choices=choices, options=kept["options"])


def _zone(run: Run) -> tzinfo:
    try:
        return ZoneInfo(run.payload["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _taken_back_at(job: Job) -> str:
    """Return where what a job did can be taken back, "" when it did nothing."""
    token = dict(job.result.get("undo") or {}).get("token", "")
    return reverse("records:undo", args=[token]) if token else ""


@kind(bulk.KIND, label="Change many records", result_url=_taken_back_at)
def change_many(run: Run) -> Mapping[str, Any]:
    """Change or bin all records that a query leaves, by key, with the rights that the person has now."""
    verb, by = run.payload["verb"], UUID(run.payload["by"])
    perm = perms.RECORDS_CHANGE if verb == "change" else perms.RECORDS_DELETE
    state: dict[str, Any] = dict(run.state) or {"at": timezone.now().isoformat(), "token": "", "count": 0}
    at = datetime.fromisoformat(state["at"])
    while True:
        with run.chunk():
            table = _table(run, by)
            query = table.parse(parse_qs(run.payload["query"]))
            rows = table.matching(query, to=perm).order_by("pk")
            if "after" in state:
                rows = rows.filter(pk__gt=UUID(state["after"]))
            else:
                # Counted to the end, unlike on a page: a bar needs the whole.
                run.checkpoint(total=rows.count())
            ids = list(rows.values_list("pk", flat=True)[:CHUNK])
            if not ids:
                _tell(table, verb, state["count"])
                return {"records": state["count"], "undo": {"token": state["token"]}}
            token, count = _apply(table, verb, ids, run, by, at, state["token"])
            state.update(after=str(ids[-1]), token=token, count=state["count"] + count)
            run.checkpoint(state, done=state["count"])


def _table(run: Run, by: UUID) -> CollectionTable:
    collection = Collection.objects.get(pk=run.payload["collection"])
    return of_collection(collection, User.objects.get(pk=by), at=timezone.now(), zone=_zone(run))


def _apply(
    table: CollectionTable, verb: str, ids: list[UUID], run: Run, by: UUID, at: datetime, token: str
) -> tuple[str, int]:
    if verb == "bin":
        return bulk.bin_some(table.collection, ids, by=by, at=at, token=token)
    clean = bulk.checked_values(table, run.payload["values"])
    return bulk.change_some(table.collection, ids, clean, by=by, at=at, token=token)


def _tell(table: CollectionTable, verb: str, count: int) -> None:
    code = "records.binned" if verb == "bin" else "records.changed_many"
    events.record(code, target=table.collection, details={"count": count, "collection": table.title})


@kind(undo.KIND, label="Undo")
def take_back_many(run: Run) -> Mapping[str, Any]:
    """Take back a change in the parts that it was made in, the last first."""
    count, by = int(run.state.get("count", 0)), run.payload["by"]
    if not run.state:
        with run.chunk():
            run.checkpoint(total=undo.records_in(UndoStep.objects.filter(token=run.payload["token"])))
    while True:
        with run.chunk():
            steps = UndoStep.objects.filter(token=run.payload["token"]).select_related("collection")
            step = steps.order_by("-id").first()
            if step is None:
                return {"records": count}
            count += undo.take_back(step, by=UUID(by) if by else None, at=timezone.now())
            if steps.count() == 1:
                undo.tell(step, count)
            step.delete()
            run.checkpoint({"count": count}, done=count)
