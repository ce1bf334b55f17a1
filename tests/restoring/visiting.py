"""The owner of each organisation, signed in, in one process that lives on while others restore.

Makes the organisations and prints them. For each line of input it prints one JSON object: for each
organisation what its page answers, at which epoch of its placement it was entered, and how often the
schema had to be asked which migrations it has had, because nothing was believed of it.
"""

import json
import sys
from typing import Any

import django


def main() -> None:
    """Make, sign in, and look as often as told."""
    django.setup()
    from django.test.utils import setup_test_environment

    from tenants.models import Organisation
    from tests.people import signed_in
    from tests.restoring.making import make

    setup_test_environment()
    rows = make(int(sys.argv[1]))
    people = []
    for slug, _, _ in rows:
        organisation = Organisation.objects.get(slug=slug)
        people.append((organisation.placement(), signed_in(organisation, f"o@{slug}.example")))
    print(json.dumps(rows), flush=True)  # noqa: T201  # read by the tests
    for _ in sys.stdin:
        seen = {tenant.slug: _look(tenant, client) for tenant, client in people}
        print(json.dumps(seen), flush=True)  # noqa: T201  # read by the tests


def _look(tenant: Any, client: Any) -> dict[str, Any]:
    from django.db import connections

    from accounts.actions.answering import ANSWERS
    from tenants.capabilities import has
    from tenants.context import Actor, enter

    asked: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    # `tenant` is what this process read at its beginning: the shard itself says if that is over.
    with enter(tenant, actor=Actor.system("test")) as context:
        assert context.organisation is not None
        with connections[context.alias].execute_wrapper(count):
            assert has(ANSWERS)
        epoch = context.organisation.epoch
    return {"page": client.get("/").status_code, "epoch": epoch, "asked": len(asked)}


if __name__ == "__main__":
    main()
