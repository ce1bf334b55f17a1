"""Processes are ended with all that they started, and never a stranger's."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded.processes import Child, end_leftover, is_same_process, wait_until
from config.embedded.service import Service

VARIABLES = {"PATH": os.defpath}


def gone(pid: int) -> bool:
    """Whether no process has this number, or only its remains wait to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def child(tmp_path: Path) -> Child:
    """A process that was not started yet."""
    return Child(log=tmp_path / "log", record=tmp_path / "record")


class TestChild:
    def test_its_own_children_end_with_it(self, child: Child, tmp_path: Path) -> None:
        inner = tmp_path / "inner"
        child.launch(
            ["sh", "-c", f"trap '' TERM; sleep 60 & echo $! > {inner}; wait; sleep 60"], environment=VARIABLES
        )
        assert wait_until(lambda: inner.exists() and inner.read_text().strip() != "", 5)

        child.ask_to_stop()
        child.wait_or_kill(0.1)

        assert wait_until(lambda: gone(int(inner.read_text())), 5)
        assert not child.record.exists()

    def test_its_last_words_are_kept(self, child: Child) -> None:
        child.launch(["sh", "-c", "echo first; echo last >&2; exit 3"], environment=VARIABLES)
        assert wait_until(lambda: not child.is_running(), 5)

        assert child.exit_code() == 3
        assert child.tail(1) == "last"

    @pytest.mark.parametrize("leash_takes", ["0", "0.5"])
    def test_it_ends_when_its_starter_is_killed(self, tmp_path: Path, leash_takes: str) -> None:
        slow = tmp_path / "setpriv"
        slow.write_text(f'#!/bin/sh\nsleep {leash_takes}\nexec {shutil.which("setpriv")} "$@"\n')
        slow.chmod(0o755)
        script = (
            "import os, pathlib, signal, sys; from config.embedded.processes import Child\n"
            f"c = Child(log=pathlib.Path({str(tmp_path / 'log')!r}), record=pathlib.Path(sys.argv[1]))\n"
            "c.launch(['sleep', '60'], environment={'PATH': os.defpath})\n"
            "print(c.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "record")],
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            },
            check=False,
        )

        assert done.returncode == -signal.SIGKILL
        assert wait_until(lambda: gone(int(done.stdout)), 5)


class TestLeftovers:
    def test_a_process_of_an_earlier_start_is_ended(self, child: Child) -> None:
        child.launch(["sleep", "60"], environment=VARIABLES)

        assert end_leftover(child.record, end_with=signal.SIGTERM)
        assert wait_until(lambda: not child.is_running(), 5)

    def test_a_stranger_with_the_same_number_is_left_alone(self, child: Child) -> None:
        child.launch(["sleep", "60"], environment=VARIABLES)
        noted = json.loads(child.record.read_text())
        child.record.write_text(json.dumps({**noted, "started": noted["started"] - 100}))

        assert not end_leftover(child.record, end_with=signal.SIGTERM)
        assert child.is_running()
        child.wait_or_kill(0)

    def test_a_torn_record_is_no_hindrance(self, tmp_path: Path) -> None:
        (tmp_path / "record").write_text("{")

        assert not end_leftover(tmp_path / "record", end_with=signal.SIGTERM)
        assert not is_same_process(0, 0.0)


class TestService:
    def test_one_that_dies_is_reported_and_started_again_after_a_pause(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("log", "run"):
            (tmp_path / name).mkdir()
        service = Service(
            "web server", ["sleep", "60"], environment=VARIABLES, folder=tmp_path, root=tmp_path
        )
        service.start()
        first = service.child.pid
        os.kill(first, signal.SIGKILL)

        def lives_again() -> bool:
            service.tend()
            return service.child.is_running() and service.child.pid != first

        assert wait_until(lives_again, 5)
        assert "The web server ended (signal 9); it starts again in 1 s." in capsys.readouterr().out
        service.child.wait_or_kill(0)
