"""Who is inside while the two are exchanged ends in what is replaced; who comes meanwhile is let in after."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import servers
from tests.restoring.conftest import ONE, TWO, Installation, folder_of


@pytest.mark.nightly
def test_somebody_in_flight(installation: Installation) -> None:
    """INF-6: nothing of theirs is lost, half or in the restored one; nobody who comes meanwhile fails."""
    target = dumped(installation)
    installation.manage("restore", "org-0", "--from-bundle", target, "--reason", "lost", "--by", ONE)
    with installation.told("in_flight", "org-0", login="app") as inside:
        assert inside.hear() == "inside"
        serving = served(installation)
        doing = installation.start("restore", "org-0", "--approve", "--by", TWO, typed="org-0")
        wait_at_the_fence(installation)
        assert inside.tell("go on") == "out"
        said, _ = doing.communicate(timeout=120)
        assert "Done" in said
        found, _ = serving.communicate("over\n", timeout=60)

    assert json.loads(found.splitlines()[-1])["failed"] == []
    ((kept,),) = installation.control("SELECT other_schema FROM operations_restore")
    written = f"SELECT count(*) FROM {kept}.gear_speaker WHERE name = 'in flight'"
    assert installation.ask("org-0", written) == [(2,)]
    assert installation.ask("org-0", "SELECT 1 FROM gear_speaker WHERE name = 'in flight'") == []


def dumped(installation: Installation) -> str:
    """Write the bundle of the first organisation, and return where."""
    target: Path = folder_of(installation) / "mine"
    installation.manage("dump", "org-0", "--to", str(target))
    return str(target)


def served(installation: Installation) -> "subprocess.Popen[str]":
    """Start writing into all organisations, in four threads, until a line of input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.serving"],
        cwd=servers.ROOT,
        env={**installation.variables, "ENCLAVE_LOGIN": "app"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    return process


def wait_at_the_fence(installation: Installation) -> None:
    """Wait until somebody waits for the lock that everybody inside shares."""
    end = time.monotonic() + 60
    query = (
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 1162756940 "
        "AND mode = 'ExclusiveLock' AND NOT granted"
    )
    while not installation.ask("org-0", query):
        assert time.monotonic() < end
        time.sleep(0.01)
