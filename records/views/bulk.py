"""What is done to the rows that are picked: change one field of all, or move them to the bin."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from permissions import perms
from records.actions import bulk
from records.actions.bulk import Which
from records.actions.done import Done, some
from records.actions.refusals import CannotDesign, Invalid
from records.tables import Column, Count, TableQuery
from records.tables.counting import count_up_to
from records.values import FieldType
from records.views.answers import person, say_done
from records.views.inputs import Options, ValuesForm, posted
from records.views.places import Place, at_place
from records.views.seen import address_of


@dataclass(frozen=True, slots=True)
class Picked:
    """What was picked: `which` for the action, and how many rows that are."""

    which: Which
    query: TableQuery
    ids: tuple[UUID, ...]
    count: Count

    @property
    def is_all(self) -> bool:
        """Whether all that match were picked, rather than rows one by one."""
        return self.which.query is not None

    @property
    def goes_as_job(self) -> bool:
        """Whether it is more than a request does."""
        return self.is_all and self.count.number > bulk.AT_ONCE

    @property
    def words(self) -> str:
        """How many, in words: "12 records", "over 10,000 records"."""
        return some(self.count.number) if self.count.exact else f"{self.count} records"

    def params(self) -> list[tuple[str, str]]:
        """Return the hidden fields that pick the same rows again."""
        kept = self.query.params() + [("pk", str(pk)) for pk in self.ids]
        return [*kept, ("all", "1")] if self.is_all else kept


def picked(request: HttpRequest, place: Place, perm: str) -> Picked:
    """Read which rows were picked, as far as the person may do `perm` to them. Raises BadQuery."""
    query = place.table.parse(request.POST).first_page()
    if request.POST.get("all") == "1":
        rows = place.table.matching(query, to=perm)
        return Picked(Which(query=query), query, (), count_up_to(rows))
    ids = tuple(dict.fromkeys(ids_of(request.POST.getlist("pk"))))
    count = place.table.rows(to=perm).filter(pk__in=ids).count() if ids else 0
    return Picked(Which(ids=ids), query, ids, Count(count))


def ids_of(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts[: bulk.AT_ONCE]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue  # no id of ours; what is left counts
    return found


def _answer(request: HttpRequest, place: Place, chosen: Picked, done: Done) -> HttpResponse:
    if done.job is not None:
        messages.success(request, "Under way. You can go on working; it is told here when it is done.")
        return HttpResponseRedirect(address_of("jobs:detail", done.job) or place.list_url(chosen.query))
    say_done(request, done)
    return HttpResponseRedirect(place.list_url(chosen.query))


def _nothing(request: HttpRequest, place: Place, chosen: Picked) -> HttpResponse:
    messages.warning(request, "Nothing is selected that you can change.")
    return HttpResponseRedirect(place.list_url(chosen.query))


@require_POST
@at_place()
def bulk_bin(request: HttpRequest, place: Place) -> HttpResponse:
    """Move what is picked to the bin; all that match only after saying how many that are."""
    chosen = picked(request, place, perms.RECORDS_DELETE)
    if not chosen.count.number:
        return _nothing(request, place, chosen)
    if chosen.is_all and "sure" not in request.POST:
        return _confirm(request, place, chosen, _bin_words(chosen), extra=[])
    done = bulk.move_to_bin(
        table=place.of_collection, which=chosen.which, by=person(request), at=timezone.now()
    )
    return _answer(request, place, chosen, done)


def _bin_words(chosen: Picked) -> dict[str, Any]:
    lines = ["They can be taken out of the bin again."]
    return {
        "title": f"Move {chosen.words} to the bin",
        "label": f"Move {chosen.words} to the bin",
        "tone": "danger",
        "consequences": [*lines, *_job_words(chosen)],
        "action_name": "bulk-bin",
    }


def _job_words(chosen: Picked) -> list[str]:
    if not chosen.goes_as_job:
        return []
    return ["It goes on as a job: you can leave this page and go on working."]


def _confirm(
    request: HttpRequest, place: Place, chosen: Picked, words: dict[str, Any], *, extra: list[tuple[str, str]]
) -> HttpResponse:
    context = {
        **words,
        "place": place,
        "action": place.url(words["action_name"]),
        "fields": [*chosen.params(), *extra, ("sure", "1")],
        "cancel_url": place.list_url(chosen.query),
        "crumbs": [{"label": place.table.title, "url": place.list_url(chosen.query)}],
    }
    return render(request, "records/bulk_confirm.html", context)


def changeable(place: Place) -> list[Column]:
    """Return the fields that many records may be given the same value of."""
    return [
        column
        for column in place.table.columns.values()
        if not column.system and not column.spec.unique and column.type is not FieldType.FILE
    ]


@require_POST
@at_place()
def bulk_change(request: HttpRequest, place: Place) -> HttpResponse:
    """Give one field of all that is picked the same value: choose the field, then the value, then do it."""
    chosen = picked(request, place, perms.RECORDS_CHANGE)
    if not chosen.count.number:
        return _nothing(request, place, chosen)
    columns = {column.key: column for column in changeable(place)}
    column = columns.get(request.POST.get("field", "")) or next(iter(columns.values()), None)
    if column is None:
        return _nothing(request, place, chosen)
    if "set" not in request.POST:
        return _ask(request, place, chosen, column)
    value = posted(column.spec, request.POST, column.key)
    if chosen.is_all and "sure" not in request.POST:
        sent = [(column.key, one) for one in request.POST.getlist(column.key)]
        extra = [("field", column.key), ("set", "1"), *sent]
        words = _change_words(request, place, chosen, column, value)
        return _confirm(request, place, chosen, words, extra=extra)
    try:
        done = bulk.change(
            table=place.of_collection,
            which=chosen.which,
            values={column.key: value},
            by=person(request),
            at=timezone.now(),
        )
    except (Invalid, CannotDesign) as refusal:
        errors = refusal.errors if isinstance(refusal, Invalid) else {column.key: str(refusal)}
        return _ask(request, place, chosen, column, errors=errors)
    return _answer(request, place, chosen, done)


def _change_words(
    request: HttpRequest, place: Place, chosen: Picked, column: Column, value: Any
) -> dict[str, Any]:
    control = ValuesForm([column], Options(request, place)).fields[column.key]
    known = dict(getattr(control.widget, "choices", ()))
    shown = ", ".join(str(known.get(one, one)) for one in (value if isinstance(value, list) else [value]))
    title = (
        f"Set {column.name} of {chosen.words} to {shown}"
        if shown
        else f"Empty {column.name} of {chosen.words}"
    )
    return {
        "title": title,
        "label": f"Change {chosen.words}",
        "tone": "primary",
        "consequences": ["What stands there now is replaced.", *_job_words(chosen)],
        "action_name": "bulk-change",
    }


def _ask(
    request: HttpRequest,
    place: Place,
    chosen: Picked,
    column: Column,
    *,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    sent = request.POST if errors else None
    form = ValuesForm([column], Options(request, place), sent=sent, errors=errors)
    context = {
        "place": place,
        "form": form,
        "column": column,
        "columns": changeable(place),
        "chosen": chosen,
        "title": f"Change {chosen.words}",
        "params": chosen.params(),
        "action": place.url("bulk-change"),
        "value_url": place.url("bulk-value"),
        "cancel_url": place.list_url(chosen.query),
        "crumbs": [{"label": place.table.title, "url": place.list_url(chosen.query)}],
    }
    return render(request, "records/bulk_change.html", context, status=422 if errors else 200)


@require_safe
@at_place()
def bulk_value(request: HttpRequest, place: Place) -> HttpResponse:
    """Give the control for the field that was chosen."""
    columns = {column.key: column for column in changeable(place)}
    column = columns.get(request.GET.get("field", "")) or next(iter(columns.values()))
    form = ValuesForm([column], Options(request, place))
    return render(request, "records/_value.html", {"form": form})
