"""A release that dies between its migrations and what follows them, on the canary or on the others."""

import os
import sys
from typing import Any

import django


def main() -> None:
    """Migrate the fleet; the argument says where it dies: "canary" or "others"."""
    django.setup()
    from django.core.management import call_command

    from operations.fleet import recording, running

    def die(*_: Any, **__: Any) -> None:
        os._exit(9)

    if sys.argv[1] == "canary":
        recording.finish = die
    else:
        sent = running._Runner._sent

        def last(self: Any, script: Any, targets: Any) -> Any:
            return die() if script.aim == self.work.aim else sent(self, script, targets)

        running._Runner._sent = last  # type: ignore[method-assign]  # that is the point
    call_command("migrate_fleet")


if __name__ == "__main__":
    main()
