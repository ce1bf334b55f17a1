"""One release either way is served and migrated; more is refused, by name."""

import shutil
from pathlib import Path

import pytest

from tests.releases.conftest import AHEAD, BEHIND, Pair

pytestmark = pytest.mark.nightly
NOTE = "import django; django.setup(); from operations.fleet import releases; releases.note_own()"
START = "from config.startup import refuse_or_start; import django; django.setup(); refuse_or_start()"


@pytest.fixture
def releases(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Three releases, each of which knows those before it: old is 1, new is 2."""
    pair.variables["RELEASES_FILES"] = str(tmp_path)
    (tmp_path / "old").write_text("[]")
    assert "written down" in pair.run("old", "manage.py", "cut_release", "1", owner=True).stdout
    shutil.copy(tmp_path / "old", tmp_path / "new")
    assert "written down" in pair.run("new", "manage.py", "cut_release", "2", owner=True).stdout
    assert pair.run("new", "manage.py", "cut_release", "2", owner=True).returncode == 1
    shutil.copy(tmp_path / "new", tmp_path / "last")
    for code in ("old", "new"):
        assert pair.run(code, "-c", NOTE, owner=True).returncode == 0  # as `prepare` does
    return pair


def test_reach(releases: Pair) -> None:
    # Backwards: an earlier release leaves what a later one has done.
    said = releases.migrate("old")
    assert (said.returncode, said.stdout) == (0, "")
    assert releases.run("old", "manage.py", "prepare", "--ready", "0", owner=True).returncode == 0
    assert releases.act("new", ("colours", AHEAD))
    for code in ("old", "new"):
        assert releases.run(code, "-c", START).returncode == 0
    # Two releases forwards.
    said = releases.migrate("last")
    assert said.returncode == 1
    assert "org-1: migrated" in said.stdout
    assert f"{BEHIND}: Its schema is 2 releases behind this code" in said.stdout
    assert "Migrate it with release 2 first." in said.stdout
    started = releases.run("last", "-c", START)
    assert started.returncode == 0
    assert f"{BEHIND} cannot be served" in started.stderr
    # And two backwards: by now nobody is left whom the first one reaches, but the one that was left behind.
    started = releases.run("old", "-c", START)
    assert f"{AHEAD} cannot be served: Its schema is 2 releases ahead of this code." in started.stderr
    assert started.returncode == 0
    # With the release between it goes on.
    assert releases.migrate("new", "--only", BEHIND).returncode == 0
    assert releases.migrate("last").returncode == 0
    started = releases.run("old", "-c", START)
    assert started.returncode != 0
    assert "This release can serve none of its organisations." in started.stderr
