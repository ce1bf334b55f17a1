"""Whether the worker is being stopped, told by its main process to the ones that do the work.

Long jobs then end after their chunk, and go on elsewhere from their checkpoint at once rather than
after their lease has lapsed.
"""

import mmap

# Anonymous and shared: processes forked later see what the main process writes.
_flag = mmap.mmap(-1, 1)


def stop() -> None:
    """Say that the worker stops."""
    _flag[0] = 1


def is_stopping() -> bool:
    """Return whether the worker stops."""
    return _flag[0] == 1
