"""Merges and splits whose processes are killed, again and again, come to their ends all the same."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.restoring.conftest import ONE, TWO, Installation, installed

LEAST_KILLS = 4
SPEAKERS = 4_000


@pytest.fixture
def alone() -> Iterator[Installation]:
    """Three organisations; the second one has some thousand loudspeakers."""
    with installed(3) as made:
        made.variables["ENCLAVE_FILES"] = str(Path(made.variables["ENCLAVE_BACKUPS"]).parent / "files")
        made.ask("org-1", "DELETE FROM gear_speaker")
        made.ask(
            "org-1",
            "INSERT INTO gear_speaker (name, serial, state, notes) "
            f"SELECT 'tower', 'serial ' || n, 'ok', '' FROM generate_series(1, {SPEAKERS}) AS n",
        )
        yield made


@pytest.mark.nightly
def test_at_any_moment(alone: Installation) -> None:
    """MOV-4 under fire: merged once, whole, undone whole; the third one is untouched."""
    before = {slug: alone.digests(slug)["gear_speaker"] for slug in ("org-0", "org-1")}
    other = alone.digests("org-2")

    _killed(alone, ("merge", "org-1", "--into", "org-0", "--reason", "bought", "--by", ONE), "found")
    _killed(alone, ("merge", "org-1", "--approve", "--by", TWO), "done")

    assert alone.ask("org-0", "SELECT count(*), count(DISTINCT serial) FROM gear_speaker") == [
        (SPEAKERS + 1, SPEAKERS + 1)
    ]
    came = "SELECT count(*) FROM audit_event WHERE code = 'gear.speaker.added'"
    assert alone.ask("org-0", came) == [(SPEAKERS + 1,)]
    whole = "SELECT count(*), min(epoch), max(eid) FROM {}"
    assert alone.ask("org-0", whole.format("audit_annexed_event")) == alone.ask(
        "org-1", whole.format("audit_event")
    )
    said = "SELECT count(*) FROM audit_event WHERE code LIKE 'organisation.absorbed%'"
    assert alone.ask("org-0", said) == alone.ask("org-1", said) == [(1,)]

    _killed(alone, ("merge", "org-1", "--undo", "--reason", "sold", "--by", ONE), "undone")

    assert {slug: alone.digests(slug)["gear_speaker"] for slug in before} == before
    assert alone.digests("org-2") == other
    left = "SELECT count(*) FROM enclave.issued WHERE state IN ('loading', 'kept')"
    assert alone.ask("org-0", left) == [(0,)]
    assert alone.ask("org-0", "SELECT count(*) FROM enclave.joined_done") == [(0,)]
    assert alone.control("SELECT state, part_of_id FROM tenants_organisation WHERE slug = 'org-1'") == [
        ("trial", None)
    ]


def _killed(made: Installation, first: tuple[str, ...], wanted: str) -> None:
    """Run a command until its merge has come to a step, killed at later and later moments."""
    steps = "SELECT step FROM operations_merge"
    began = made.control(steps)
    process, killed = made.start(*first, typed="org-1"), 0
    while process.poll() is None and made.control(steps) == began:
        time.sleep(0.005)
    for tenths in range(1, 40):
        process.kill()
        process.communicate()
        killed += made.control(steps) != [(wanted,)]
        if process.returncode == 0:
            break
        process = made.start("merge", "--resume")
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.6 + tenths / 5)
    made.manage("merge", "--resume")
    assert made.control(steps) == [(wanted,)]
    assert killed >= LEAST_KILLS
