"""Verifies an exported trail. One file, the standard library only: no Django, no database.

    python verifier.py trail.jsonl [--head NUMBER:HASH]

Reads canonical lines (audit.exporting), one JSON object each: `event`, `private` and `segment`. It
recomputes every leaf, root, header and link, and compares with a head that the holder kept earlier.
An event whose private part is gone is counted as erased, which is no fault.
"""

import argparse
import hashlib
import json
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

LEAF, NODE, HEADER = b"\x00", b"\x01", b"\x02"
EVENT_FIELDS = (
    "epoch", "txid", "eid", "at_us", "code", "type_id", "object_id", "actor_id", "payload", "private_ref"
)  # fmt: skip
HEADER_FIELDS = (
    "log_id", "segment_no", "first_epoch", "first_txid", "first_eid", "last_epoch", "last_txid", "last_eid",
    "count", "root", "trigger_digest", "clock_us", "prev_header_hash",
)  # fmt: skip
BINARY = {"root", "trigger_digest", "prev_header_hash"}
NOTHING_BEFORE = "00" * 32

Key = tuple[int, int, int]


@dataclass
class Report:
    """What was found. `faults` names each thing wrong, with its segment; none means verified."""

    events: int = 0
    sealed: int = 0
    segments: int = 0
    erased: int = 0
    head: str = ""
    trigger_changes: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.faults


def prefixed(part: bytes | None) -> bytes:
    """Return a part with its length before it; None is the length -1."""
    return struct.pack(">i", -1) if part is None else struct.pack(">i", len(part)) + part


def leaf(event: dict[str, Any]) -> bytes:
    """Return the leaf of an event: a hash over every column."""
    values = (event[name] for name in EVENT_FIELDS)
    parts = [prefixed(None if value is None else str(value).encode()) for value in values]
    commitment = event["private_commitment"]
    parts.append(prefixed(None if commitment is None else bytes.fromhex(commitment)))
    return hashlib.sha256(LEAF + b"".join(parts)).digest()


def root(leaves: list[bytes]) -> bytes:
    """Return the Merkle root of RFC 6962, with a stack of finished subtrees."""
    stack: list[tuple[int, bytes]] = []
    for one in leaves:
        size, digest = 1, one
        while stack and stack[-1][0] == size:
            digest = _node(stack.pop()[1], digest)
            size *= 2
        stack.append((size, digest))
    if not stack:
        return hashlib.sha256(b"").digest()
    _, total = stack.pop()
    while stack:
        total = _node(stack.pop()[1], total)
    return total


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


def header_hash(segment: dict[str, Any]) -> str:
    """Return the hash of a segment's header, in hexadecimal."""
    parts = (
        prefixed(bytes.fromhex(segment[name]) if name in BINARY else str(segment[name]).encode())
        for name in HEADER_FIELDS
    )
    return hashlib.sha256(HEADER + b"".join(parts)).hexdigest()


def key_of(event: dict[str, Any]) -> Key:
    """Return where an event stands in the total order."""
    return event["epoch"], event["txid"], event["eid"]


def verify(lines: Iterable[str], *, known_heads: dict[int, str] | None = None) -> Report:
    """Verify exported lines; `known_heads` are hashes of headers kept from earlier, by segment number."""
    report = Report()
    events, privates, segments = _read(lines, report)
    report.events = len(events)
    _check_private_parts(events, privates, report)
    _check_segments(sorted(events, key=key_of), segments, report)
    for number, digest in (known_heads or {}).items():
        if number not in segments:
            report.faults.append(f"segment {number}: is missing, but was there earlier")
        elif segments[number]["header_hash"] != digest:
            report.faults.append(f"segment {number}: is not the one that was there earlier")
    return report


def _read(
    lines: Iterable[str], report: Report
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]], dict[int, dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    privates: dict[str, dict[str, Any]] = {}
    segments: dict[int, dict[str, Any]] = {}
    for number, line in enumerate(lines, 1):
        entry = json.loads(line)
        kind = entry.get("kind")
        if kind == "event":
            events.append(entry)
        elif kind == "private":
            privates[entry["ref"]] = entry
        elif kind == "segment":
            segments[entry["segment_no"]] = entry
        else:
            report.faults.append(f"line {number}: is neither event, private part nor segment")
    return events, privates, segments


def _check_private_parts(
    events: list[dict[str, Any]], privates: dict[str, dict[str, Any]], report: Report
) -> None:
    used: set[str] = set()
    for event in events:
        ref = event["private_ref"]
        if ref is None:
            continue
        part = privates.get(ref)
        if part is None:
            report.erased += 1
            continue
        used.add(ref)
        commitment = hashlib.sha256(bytes.fromhex(part["salt"]) + part["value"].encode()).hexdigest()
        if commitment != event["private_commitment"]:
            report.faults.append(f"event {key_of(event)}: its private part is not what was committed to")
    for ref in privates.keys() - used:
        report.faults.append(f"private part {ref}: belongs to no event")


def _check_segments(
    events: list[dict[str, Any]], segments: dict[int, dict[str, Any]], report: Report
) -> None:
    before, place, digest, mark = NOTHING_BEFORE, 0, "", (0, 0, 0)
    for expected, number in enumerate(sorted(segments), 1):
        segment = segments[number]
        if number != expected:
            report.faults.append(f"segment {expected}: is missing")
            return
        inside = list(_until(events, place, _last(segment)))
        place += len(inside)
        report.faults.extend(f"segment {number}: {fault}" for fault in _faults(segment, inside, before, mark))
        if digest and segment["trigger_digest"] != digest:
            report.trigger_changes.append(number)
        before, digest, mark = segment["header_hash"], segment["trigger_digest"], _last(segment)
        report.segments += 1
        report.sealed += len(inside)
    report.head = before if segments else ""


def _last(segment: dict[str, Any]) -> Key:
    return segment["last_epoch"], segment["last_txid"], segment["last_eid"]


def _first(segment: dict[str, Any]) -> Key:
    return segment["first_epoch"], segment["first_txid"], segment["first_eid"]


def _until(events: list[dict[str, Any]], place: int, last: Key) -> Iterator[dict[str, Any]]:
    while place < len(events) and key_of(events[place]) <= last:
        yield events[place]
        place += 1


def _faults(segment: dict[str, Any], inside: list[dict[str, Any]], before: str, mark: Key) -> Iterator[str]:
    if segment["header_hash"] != header_hash(segment):
        yield "its header was changed"
    if segment["prev_header_hash"] != before:
        yield "does not follow the one before"
    if len(inside) != segment["count"]:
        yield f"has {len(inside)} entries, sealed were {segment['count']}"
    if inside and key_of(inside[0]) != _first(segment):
        yield f"begins at {key_of(inside[0])}, sealed was {_first(segment)}"
    if inside and not mark < _first(segment):
        yield "overlaps the one before"
    if root([leaf(event) for event in inside]).hex() != segment["root"]:
        yield "its entries are not those that were sealed"


def main() -> int:
    """Verify a file from the command line; return 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description="Verifies an exported trail.")
    parser.add_argument("file")
    parser.add_argument("--head", action="append", default=[], metavar="NUMBER:HASH")
    arguments = parser.parse_args()
    heads = {int(number): digest for number, digest in (head.split(":") for head in arguments.head)}
    with open(arguments.file, encoding="utf-8") as lines:
        report = verify(lines, known_heads=heads)
    sys.stdout.write(json.dumps({**report.__dict__, "verified": report.verified}, indent=2) + "\n")
    return 0 if report.verified else 1


if __name__ == "__main__":
    sys.exit(main())
