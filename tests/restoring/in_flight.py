"""Somebody inside an organisation for as long as we like: writes, waits for a line of input, writes, ends."""

import json
import select
import sys

import django


def main() -> None:
    """Stay inside the organisation that the first word names."""
    django.setup()
    from tenants.context import Actor, enter
    from tenants.models import Organisation
    from tests.rooms.gear.models import Speaker

    with enter(Organisation.objects.get(slug=sys.argv[1]), actor=Actor.system("test")):
        Speaker.objects.create(name="in flight", serial="f-1")
        print(json.dumps("inside"), flush=True)  # noqa: T201  # read by the tests
        # Whoever is idle inside for long is shown out, which is another matter.
        while not select.select([sys.stdin], [], [], 1.0)[0]:
            Speaker.objects.count()
        Speaker.objects.create(name="in flight", serial="f-2")
    print(json.dumps("out"), flush=True)  # noqa: T201  # read by the tests


if __name__ == "__main__":
    main()
