"""One part of the running product, kept alive: started again with growing pauses when it dies."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.embedded.console import say
from config.embedded.processes import Child, end_leftover

LONGEST_PAUSE = 30.0
# A part that ran this long was well: its next death counts as the first again.
WELL_AFTER = 60.0


class Service:
    """A process with a name for people, e.g. "web server", restarted when it ends by itself."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        folder: Path,
        root: Path,
    ) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.root = root
        slug = name.replace(" ", "-").replace("'", "")
        self.child = Child(log=folder / "log" / f"{slug}.log", record=folder / "run" / f"{slug}.json")
        self._deaths = 0
        self._started_at = 0.0
        self._again_at: float | None = None

    def start(self) -> None:
        """Start it; whatever an earlier, killed bin/up left of it is ended first."""
        end_leftover(self.child.record, end_with=self.child.end_with)
        self.child.launch(self.command, environment=self.environment, cwd=self.root)
        self._started_at = time.monotonic()
        self._again_at = None

    def tend(self) -> None:
        """Report a death once, and start it again when its pause is over."""
        now = time.monotonic()
        if self._again_at is not None:
            if now >= self._again_at:
                self.start()
        elif self.child.exit_code() is not None:
            self._note_death(now)

    def _note_death(self, now: float) -> None:
        if now - self._started_at > WELL_AFTER:
            self._deaths = 0
        pause = min(2.0**self._deaths, LONGEST_PAUSE)
        self._deaths += 1
        self._again_at = now + pause
        code = self.child.exit_code()
        self.child.wait_or_kill(0)
        say(f"The {self.name} ended ({_how(code)}); it starts again in {pause:.0f} s. See {self.child.log}.")


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code}"
    return f"exit code {code}"
