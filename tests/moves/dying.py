"""A mover that is killed, or kills a server, just before or after it writes a step down."""

import os
import signal
import sys
from typing import Any

import django


def main() -> None:
    """Begin a move, or go on with one, and die on the way."""
    django.setup()
    from django.utils import timezone

    from operations.actions import moves
    from operations.models import Move
    from operations.moves import machine
    from tenants.models import Organisation, Shard

    slug, target, step, when, victim = sys.argv[1:6]
    reach = Move.reach

    def kill() -> None:
        os.kill(int(victim) or os.getpid(), signal.SIGKILL)

    def deadly(self: Any, reached: Any, **columns: object) -> None:
        if when == "before" and reached.value == step:
            kill()
        reach(self, reached, **columns)
        if when == "after" and reached.value == step:
            kill()

    Move.reach = deadly  # type: ignore[method-assign, assignment]  # that is the point
    organisation = Organisation.objects.get(slug=slug)
    move = Move.objects.under_way().filter(organisation=organisation).first()
    if move is None:
        move = moves.ask(
            organisation=organisation,
            target=Shard.objects.get(pk=target),
            reason="A test",
            by="test",
            at=timezone.now(),
        )
    machine.run(move)


if __name__ == "__main__":
    main()
