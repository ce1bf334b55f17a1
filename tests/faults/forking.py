"""What the nursery runs: it loads the product once, and forks what each line of its input asks for.

Nothing of tests.servers may be imported here: that would choose servers of its own.
"""

import json
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Load everything, and fork what each line asks for until the input ends."""
    _load()
    # The system then forgets those that end; each child takes the usual way again.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        log, *words = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(Path(log), words)
        print(pid, flush=True)  # noqa: T201  # read by the test


def _load() -> None:
    import celery.apps.beat
    import celery.apps.worker
    import celery.bin.celery  # noqa: F401  # so that no child has to
    import django

    django.setup()
    from config.celery import app
    from operations.management.commands import move  # noqa: F401

    app.loader.import_default_modules()
    app.finalize()


def _become(log: Path, words: list[str]) -> None:
    """Be the process that was asked for, and end as it does."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        output = os.open(log, os.O_WRONLY | os.O_APPEND)
        for number in (1, 2):
            os.dup2(output, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = words
        if words[0] == "celery":
            from celery.bin.celery import main as run

            run()
        else:
            from django.core.management import execute_from_command_line

            execute_from_command_line(words)
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
