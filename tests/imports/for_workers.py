"""Included by the workers of these tests: small transactions, and workers that die when the plan says so.

The plan is a file with lines such as `records.import after 3000`: the process kills itself right after
(or, with `before`, right before) the commit by which so many rows are done. Each line is used once.
"""

import os
import signal
from pathlib import Path
from typing import Any

from jobs.actions.running import Run
from records.imports import into_collection

into_collection.ROWS = 1000
PLAN = Path(os.environ["IMPORT_KILLS"])
_renew, _remember = Run._renew, Run._remember


def _die_if_due(run: Run, moment: str, progress: Any) -> None:
    done = progress.columns.get("done") or 0
    lines = PLAN.read_text().splitlines()
    for line in lines:
        kind, when, rows = line.split()
        if (kind, when) == (run._taken.kind.name, moment) and done >= int(rows):
            PLAN.write_text("\n".join(other for other in lines if other != line))
            os.kill(os.getpid(), signal.SIGKILL)


def renew(self: Run, progress: Any) -> None:
    """Write the progress, then perhaps die before the commit."""
    _renew(self, progress)
    _die_if_due(self, "before", progress)


def remember(self: Run, progress: Any) -> None:
    """After the commit, perhaps die."""
    _die_if_due(self, "after", progress)
    _remember(self, progress)


Run._renew = renew  # type: ignore[method-assign]  # only in the tests' own workers
Run._remember = remember  # type: ignore[method-assign]  # only in the tests' own workers
