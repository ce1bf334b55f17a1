"""Commands of manage.py that bin/up runs to their end: preparing, demonstration, addresses to show."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from config.embedded import environment as variables
from config.embedded.errors import CannotStart
from config.embedded.files import disk_is_full
from config.embedded.processes import Child

POLL_SECONDS = 0.05
STEP_STOP_SECONDS = 4.0


class AskedToStop(Exception):
    """Ctrl-C or SIGTERM arrived in the middle of a step."""


def because_it_said(what: str, child: Child, since: int = 0) -> CannotStart:
    """Make one sentence of what a process wrote before it gave up."""
    said = child.tail(30, since=since)
    last = said.splitlines()[-1].strip() if said else "it gave no reason"
    if "No space left on device" in said:
        return disk_is_full(child.log.parent.parent)
    if "ModuleNotFoundError" in last or "ImportError" in last:
        return CannotStart(f"{what} ({last}); the packages are not whole: delete .venv and run bin/up again.")
    return CannotStart(f"{what} ({last}); what it wrote is in {child.log}.")


class Steps:
    """Runs commands one after the other. `stop` ends the one that runs, which raises AskedToStop."""

    def __init__(
        self, *, root: Path, data: Path, environment: Mapping[str, str], stop: threading.Event
    ) -> None:
        self.root = root
        self.data = data
        self.environment = environment
        self.stop = stop

    def run(self, *words: str, owner: bool, what: str) -> None:
        """Run `manage.py` with `words`; `what` completes the sentence "… failed". Raises CannotStart."""
        name = words[0]
        child = Child(log=self.data / "log" / f"{name}.log", record=self.data / "run" / f"{name}.json")
        start = child.log.stat().st_size if child.log.exists() else 0
        child.launch(self._command(*words), environment=self._variables(owner=owner), cwd=self.root)
        try:
            while child.is_running():
                if self.stop.wait(POLL_SECONDS):
                    child.ask_to_stop()
                    child.wait_or_kill(STEP_STOP_SECONDS)
                    raise AskedToStop
        finally:
            code = child.exit_code()
            child.wait_or_kill(0)
        if code != 0:
            raise because_it_said(f"{what} failed", child, since=start)

    def ask(self, *words: str) -> "Question":
        """Start `manage.py` with `words` and return at once; its JSON is read later."""
        process = subprocess.Popen(
            self._command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._variables(owner=False),
            cwd=self.root,
            start_new_session=True,
        )
        return Question(process)

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, str(self.root / "manage.py"), *words]

    def _variables(self, *, owner: bool) -> dict[str, str]:
        return variables.for_owner(self.environment) if owner else variables.for_app(self.environment)


class Question:
    """A command whose answer, JSON on its standard output, is awaited while other things start."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def answer(self, seconds: float) -> Any:
        """The parsed answer; None if the command failed or took longer than `seconds`."""
        try:
            output, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.drop()
            return None
        if self._process.returncode != 0:
            return None
        with suppress(ValueError):
            return json.loads(output)
        return None

    def drop(self) -> None:
        """End the command if it still runs."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
        self._process.wait()
