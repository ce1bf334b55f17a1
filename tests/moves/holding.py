"""A worker that is frozen while its organisation moves: it has a job and a mail, and writes when it wakes up.

Says "held" when it has both; a line of input wakes it up, and it says as JSON what became of each write.
"""

import json
import sys
from collections.abc import Callable

import django


def main() -> None:
    """Hold, wait, and write."""
    django.setup()
    from jobs.actions import enqueue, settling
    from jobs.actions.running import Run, Surroundings
    from jobs.actions.taking import take
    from jobs.placing import resolve
    from jobs.refusals import LeaseLost
    from tenants.context import Actor, enter
    from tenants.models import Organisation
    from tests.jobs import kinds

    kinds.register()
    # As it was read when the jobs were taken; never again.
    stale = Organisation.objects.get(slug=sys.argv[1]).placement()
    with enter(stale, actor=Actor.system("test")):
        enqueue("tests.items", payload={"items": 2}, label="Items", by=None)
        # Whoever is to be the owner is sent a mail when an organisation is made.
        job, mail = take(queue="app"), take(queue="mail")
    assert job is not None
    assert mail is not None
    run = Run(job, tenant=stale, around=Surroundings(resolve=resolve, beats=False))
    with run.chunk():
        kinds.effect("item 0")
        run.checkpoint({"at": 1}, done=1, total=2)
    print("held", flush=True)  # noqa: T201  # read by the tests
    sys.stdin.readline()

    def outcome(write: Callable[[], None]) -> str:
        try:
            write()
        except LeaseLost:
            return "refused"
        return "written"

    def go_on() -> None:
        with run.chunk():
            kinds.effect("item 1, by the one who was frozen")

    def settle() -> None:
        with enter(stale, actor=Actor.system("test")):
            settling.succeed(mail, {"sent": True})

    print(json.dumps([outcome(go_on), outcome(settle)]), flush=True)  # noqa: T201  # read by the tests


if __name__ == "__main__":
    main()
