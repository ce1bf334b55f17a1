"""IMP-1: files that burst are refused quickly and in little memory, counted on what really comes out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.importing.corpus import bombs

EXPECTED = {
    "flat": "zip-ratio",
    "nested": "zip-nested",
    "overlapping": "zip-overlap",
    "declares-less": "zip-size",
    "declares-less-with-its-sum": "zip-size",
    "declares-more": "zip-damaged",
    "wrong-sum": "zip-damaged",
    "many-small": "zip-ratio",
    "100k-entries": "zip-entries",
    "400k-entries-said-to-be-one": "zip-entries",
    "encrypted": "zip-encrypted",
    "cut": "zip-damaged",
    "huge-sheet": "zip-ratio",
    "laughs": "xlsx-dtd",
    "shared-strings": "xlsx-memory",
}
MEGABYTES = 150
SECONDS = 2.0  # of processor time: other tests may be running

# Runs in a process of its own: the peak of memory of a process never goes down again.
SCRIPT = """
import json, resource, sys
from pathlib import Path
from records.importing import Unreadable, open_source
folder, work = Path(sys.argv[1]), Path(sys.argv[2])
codes, slowest = {}, 0.0
def spent():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
for path in sorted(folder.iterdir()):
    begun = spent()
    try:
        open_source(path, path.name, folder=work).close()
        codes[path.name] = "read"
    except Unreadable as refusal:
        codes[path.name] = refusal.code
    slowest = max(slowest, spent() - begun)
own = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
left = [path.name for path in work.iterdir()]
print(json.dumps({"codes": codes, "slowest": slowest, "own": own, "child": child, "left": left}))
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Open every bomb once, in one process, and report."""
    folder, work = tmp_path_factory.mktemp("bombs"), tmp_path_factory.mktemp("work")
    for name, data in bombs().items():
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), str(work)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return json.loads(done.stdout)


class TestBombs:
    def test_are_refused_for_what_they_are(self, outcome: Any) -> None:
        assert outcome["codes"] == EXPECTED

    def test_take_little_memory(self, outcome: Any) -> None:
        assert outcome["own"] < MEGABYTES * 1024
        assert outcome["child"] < MEGABYTES * 1024

    def test_take_little_time(self, outcome: Any) -> None:
        assert outcome["slowest"] < SECONDS

    def test_leave_nothing_behind(self, outcome: Any) -> None:
        assert outcome["left"] == []
