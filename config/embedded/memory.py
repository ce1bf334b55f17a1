"""How much memory there is for what runs here."""

import os
from functools import cache
from pathlib import Path

# What a container may use, in bytes or "max": of the second version of control groups, and of the first.
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def megabytes() -> int:
    """Return the machine's memory, or what a container is allowed of it. Kept for the life of the process."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_allowed()]) // 1024**2


def _allowed() -> list[int]:
    found = []
    for path in map(Path, _LIMITS):
        try:
            found.append(int(path.read_text()))
        except (OSError, ValueError):  # not a container, or one without a limit
            continue
    return found
