"""What is asked of the trail, and what is read from it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; None and empty mean any. `codes` are alternatives; `until` is exclusive,
    `transaction` is its epoch and id.

    Without `every`, changed rows are left out where something that was meant, and written in the same
    transaction, says what happened: "made Sam a member" stands for a person, an address and a membership.
    """

    actor: UUID | None = None
    object_id: UUID | None = None
    type_id: int | None = None
    codes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    transaction: tuple[int, int] | None = None
    every: bool = True


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between entries: time and transaction of the last one read, in the trail of `origin`."""

    at_us: int
    txid: int
    origin: UUID | None = None

    def __str__(self) -> str:
        return f"{self.at_us}.{self.txid}" + (f".{self.origin.hex}" if self.origin else "")

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """Return the place that a page's address names; None for anything else."""
        at_us, _, rest = text.partition(".")
        txid, _, origin = rest.partition(".")
        limit = 2**63
        if not (at_us.isdecimal() and txid.isdecimal()) or int(at_us) >= limit or int(txid) >= limit:
            return None
        if origin and not re.fullmatch(r"[0-9a-f]{32}", origin):
            return None
        return cls(int(at_us), int(txid), UUID(origin) if origin else None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, read. `of` rows were changed by its statement; it stands for `count` of them, since `since`.

    `before` and `after` hold open and personal values together; `erased` says that personal ones are
    gone, `hidden` names the columns whose values were never kept. `title` is what its object was called
    then, or what many of them belong to, where a room knows. `origin` names another organisation whose trail
    it stands in.
    """

    epoch: int
    txid: int
    eid: int
    at: datetime
    at_us: int
    code: str
    type_id: int
    object_id: UUID | None
    actor_id: UUID | None
    by: Mapping[str, Any]
    request_id: str
    source: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    details: Mapping[str, Any]
    personal: tuple[str, ...]
    hidden: tuple[str, ...]
    erased: bool
    of: int = 1
    count: int = 1
    since: Cursor | None = None
    title: str = ""
    origin: str = ""
    origin_id: UUID | None = None

    @property
    def place(self) -> Cursor:
        """Return where this entry stands."""
        return Cursor(self.at_us, self.txid)

    @property
    def label(self) -> str:
        """Return the model of a row's event, `records.record`, or an empty text for one of intent."""
        return self.code.rpartition(".")[0] if self.code.count(".") > 1 else ""

    @property
    def verb(self) -> str:
        """Return added, changed or removed, or what an event of intent calls itself."""
        return self.code.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and where the next page begins; None at the end."""

    entries: list[Entry] = field(default_factory=list)
    next: Cursor | None = None


def entry_of(row: Any) -> Entry:
    """Return a row of `audit.queries` read."""
    epoch, txid, eid, at_us, code, type_id, object_id, actor_id, text, has_private, value = row
    payload = json.loads(text)
    private = json.loads(value) if value else {}
    return Entry(
        epoch=epoch,
        txid=txid,
        eid=eid,
        at=datetime.fromtimestamp(at_us / 1_000_000, tz=UTC),
        at_us=at_us,
        code=code,
        type_id=type_id,
        object_id=object_id,
        actor_id=actor_id,
        by=payload.get("by", {}),
        request_id=payload.get("request", ""),
        source=payload.get("source", ""),
        before={**payload.get("before", {}), **_flat(private.get("before", {}))},
        after={**payload.get("after", {}), **_flat(private.get("after", {}))},
        details={**payload.get("details", {}), **private.get("details", {})},
        personal=tuple(payload.get("personal", ())),
        hidden=tuple(payload.get("masked", ())),
        erased=has_private and value is None,
        of=payload.get("of", 1),
    )


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return documents taken apart one level: `values.capacity`, the name of a column and its key."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            flat[name] = value
    return flat
