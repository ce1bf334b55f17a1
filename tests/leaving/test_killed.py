"""Erasures and returns whose processes are killed, again and again, come to their ends all the same."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.restoring.conftest import ONE, TWO, Installation, installed

LEAST_KILLS = 4


@pytest.fixture
def alone() -> Iterator[Installation]:
    """Two organisations, one of which is gone and has an export."""
    with installed(2) as made:
        folder = Path(made.variables["ENCLAVE_BACKUPS"]).parent
        made.variables["ENCLAVE_FILES"] = str(folder / "files")
        made.variables["ENCLAVE_EXPORTS"] = str(folder / "exports")
        made.manage("export", "org-0", "--to", str(folder / "taken.zip"))
        made.control("UPDATE tenants_organisation SET state = 'gone' WHERE slug = 'org-0'")
        yield made


@pytest.mark.nightly
def test_at_any_moment(alone: Installation) -> None:
    """MOV-6 under fire: erased once, whole, and back with equal rows; the other one is untouched."""
    then, other = alone.digests("org-0")["gear_speaker"], alone.digests("org-1")
    alone.manage("erase", "org-0", "--at-once", "--reason", "the contract ended", "--by", ONE)

    _killed(alone, ("erase", "org-0", "--approve", "--by", TWO), ("erase", "--resume"), table="erasure")

    assert alone.control("SELECT step FROM operations_erasure") == [("done",)]
    schema = alone.schemas["org-0"][1]
    assert alone.ask("org-1", f"SELECT count(*) FROM pg_namespace WHERE nspname = '{schema}'") == [(0,)]
    taken = Path(alone.variables["ENCLAVE_BACKUPS"]).parent / "taken.zip"
    back = ("come_back", str(taken), "--reason", "they signed again", "--by", ONE)

    _killed(alone, back, ("come_back", "--resume"), table="return")

    if alone.control("SELECT count(*) FROM operations_return WHERE step = 'done'") == [(0,)]:
        # It was killed before it was laid out whole, so it failed, and the file is given again.
        alone.manage(*back)
    ((alias, another),) = alone.control(
        "SELECT shard_id, schema_name FROM tenants_organisation WHERE slug = 'org-0'"
    )
    alone.schemas["org-0"] = (str(alias), str(another))
    assert alone.digests("org-0")["gear_speaker"] == then
    returned = "SELECT count(*) FROM audit_event WHERE code = 'organisation.returned'"
    assert alone.ask("org-0", returned) == [(1,)]
    assert alone.digests("org-1") == other
    assert alone.ask("org-1", "SELECT count(*) FROM enclave.issued WHERE state IN ('loading', 'kept')") == [
        (0,)
    ]


def _killed(made: Installation, first: tuple[str, ...], again: tuple[str, ...], *, table: str) -> None:
    """Run a command to its end, killed at later and later moments, until a run is faster than that."""
    steps = f"SELECT DISTINCT step FROM operations_{table}"
    early = ([],) if table == "return" else ([("asked",)], [("approved",)])
    process, killed = made.start(*first, typed="org-0"), 0
    while process.poll() is None and made.control(steps) in early:
        time.sleep(0.005)
    for tenths in range(1, 40):
        process.kill()
        process.communicate()
        killed += made.control(steps) not in ([("done",)], [("failed",)])
        if process.returncode == 0:
            break
        process = made.start(*again)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.4 + tenths / 10)
    made.manage(*again)
    assert killed >= LEAST_KILLS
