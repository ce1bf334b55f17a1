"""Each entry as a sentence that a person understands, with its details on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from audit import codes, labels
from audit.columns import columns_of
from audit.labels import Named
from audit.queries import Entry
from audit.wording import Wording, look_up, told

ERASED = "erased"
NOT_KEPT = "not kept"
_VERBS = {"added": "added", "changed": "changed", "removed": "deleted"}
# The columns that every room keeps its bin in.
_BIN = frozenset({"deleted_at", "deleted_by"})
_SHOWN = 3
_LONG = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One column of a changed row; `before` and `after` as they are shown."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Said:
    """An entry, said."""

    entry: Entry
    sentence: str
    at: datetime
    details: list[Line] = field(default_factory=list)
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was looked up for a whole page of entries at once."""

    names: Wording
    fields: Mapping[tuple[str, str], str]


def say(entries: Sequence[Entry]) -> list[Said]:
    """Return the sentences of entries. Asks a constant number of queries for each kind of thing."""
    known = _look_up(entries)
    return [_said(entry, known) for entry in entries]


def _look_up(entries: Sequence[Entry]) -> _Known:
    columns: dict[str, set[str]] = {}
    for entry in entries:
        if entry.label:
            columns.setdefault(entry.label, set()).update(_columns(entry))
    fields = {
        (label, name): words
        for label, names in columns.items()
        for name, words in labels.field_names(label, sorted(names)).items()
    }
    return _Known(look_up(entries), fields)


def _columns(entry: Entry) -> list[str]:
    fields, named = columns_of(entry.label), {*entry.before, *entry.after, *entry.hidden}
    if entry.erased:
        named.update(entry.personal)
    # The key says nothing to people.
    return sorted(name for name in named if not getattr(fields.get(name), "primary_key", False))


def _said(entry: Entry, known: _Known) -> Said:
    lines = _lines(entry, known) if entry.count == 1 else []
    target = known.names.objects.get((entry.type_id, entry.object_id)) if entry.object_id else None
    if not entry.label:
        sentence = _intent(entry, known, target)
    elif entry.count > 1:
        many = f"{entry.count:,} {_kinds(entry)}" + (f" of {_short(entry.title)}" if entry.title else "")
        sentence = f"{actor_name(entry, known.names.people)} {_VERBS[entry.verb]} {many}"
    else:
        sentence = _row(entry, known, target, lines)
    parts = (entry.origin and f"in {entry.origin}", entry.source and f"from {entry.source}")
    note = ", ".join(part for part in parts if part)
    return Said(entry, _plain(sentence), entry.at, lines, note, target.url if target else "")


def actor_name(entry: Entry, people: Mapping[UUID, str]) -> str:
    """Return who acted: a person by name, also where a job did it for them; anybody else by label."""
    person = people.get(entry.actor_id, "Somebody who was erased") if entry.actor_id else ""
    kind = entry.by.get("kind")
    if kind == "person":
        return person or "Somebody"
    label = str(entry.by.get("label") or {"anonymous": "Somebody not signed in"}.get(str(kind), "Enclave"))
    if kind == "operator":
        return f"{label} (operator)"
    return person or label


def _row(entry: Entry, known: _Known, target: Named | None, lines: list[Line]) -> str:
    named = target or labels.remembered(entry)
    thing = f"the {named.kind} {_short(named.label)}" if named else f"a {labels.kind_of(entry.type_id)}"
    actor = actor_name(entry, known.names.people)
    if own := labels.sentence_of(
        entry, actor, _short(named.label) if named else f"a {labels.kind_of(entry.type_id)}"
    ):
        return own
    if binned := _binned(entry, thing):
        return f"{actor} {binned}"
    sentence = f"{actor} {_VERBS[entry.verb]} {thing}"
    if entry.verb != "changed" or not lines:
        return sentence
    shown = "; ".join(_change(line) for line in lines[:_SHOWN])
    more = len(lines) - _SHOWN
    return f"{sentence}: {shown}" + (f" and {more} more" if more > 0 else "")


def _binned(entry: Entry, thing: str) -> str:
    """Return what happened when all that changed is whether something lies in the bin; "" otherwise."""
    if entry.verb != "changed" or entry.hidden or {*entry.before, *entry.after} - _BIN != set():
        return ""
    if "deleted_at" not in entry.after:
        return ""
    return f"moved {thing} to the bin" if entry.after["deleted_at"] else f"took {thing} out of the bin"


def _change(line: Line) -> str:
    if line.after in (ERASED, NOT_KEPT):
        return f"{line.label} ({line.after})"
    return f"{line.label} {_short(line.before) or '–'} → {_short(line.after) or '–'}"


def _kinds(entry: Entry) -> str:
    return labels.kind_of(entry.type_id, many=True)


class _Word(str):
    """A detail in words. Of a number, `{count:record|records}` says the thing that is counted too."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        one, bar, many = spec.partition("|")
        return f"{self} {one if str(self) == '1' else many}" if bar else super().__format__(spec)


class _Details(dict[str, str]):
    """What a sentence may name; what is missing was erased, or was never there."""

    def __missing__(self, key: str) -> str:
        return _Word(f"({ERASED})")


def _intent(entry: Entry, known: _Known, target: Named | None) -> str:
    actor = actor_name(entry, known.names.people)
    if presenter := codes.presenter_of(entry.code):
        return presenter(entry, actor=actor, target=target)
    details = _Details({name: _Word(_short(told(value))) for name, value in entry.details.items()})
    thing = _short(target.label) if target else f"a {labels.kind_of(entry.type_id)}"
    details.update(actor=actor, target=thing)
    template = codes.code(entry.code).sentence if codes.known(entry.code) else "{actor}: " + entry.code
    return template.format_map(details)


def _lines(entry: Entry, known: _Known) -> list[Line]:
    lines = (_line(entry, name, known) for name in _columns(entry))
    # A new row has many columns without a value, and they say nothing.
    return [line for line in lines if line.before or line.after]


def _line(entry: Entry, name: str, known: _Known) -> Line:
    label = known.fields.get((entry.label, name), name)
    if name in entry.hidden:
        return Line(label, NOT_KEPT, NOT_KEPT)
    if entry.erased and name in entry.personal:
        return Line(label, ERASED, ERASED)
    before, after = (
        known.names.text(entry.label, name, side.get(name)) for side in (entry.before, entry.after)
    )
    return Line(label, before, after)


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


_UNSEEN = dict.fromkeys(
    [*range(32), 127, *range(0x80, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)


def _plain(sentence: str) -> str:
    """Return a sentence without characters that could break a line or turn the direction of reading."""
    return " ".join(sentence.replace("\n", " ").translate(_UNSEEN).split())
