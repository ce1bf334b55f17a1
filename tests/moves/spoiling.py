"""A move during which somebody tampers: SQL runs on a shard as the superuser just after a step."""

import json
import sys
from typing import Any

import django
import psycopg


def main() -> None:
    """Move; the argument is JSON: slug, to, step, and [url, statement] pairs."""
    django.setup()
    from django.utils import timezone

    from operations.actions import moves
    from operations.models import Move
    from operations.moves import machine
    from tenants.models import Organisation, Shard

    told = json.loads(sys.argv[1])
    reach = Move.reach
    done: list[str] = []

    def spoiled(self: Any, reached: Any, **columns: object) -> None:
        reach(self, reached, **columns)
        if reached.value == told["step"] and not done:
            done.append(reached.value)
            for url, statement in told["statements"]:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(f"SET search_path = {self.schema_name}".encode())
                    connection.execute('SET app.actor = \'{"kind": "system"}\'')
                    connection.execute(statement.encode())

    Move.reach = spoiled  # type: ignore[method-assign, assignment]  # that is the point
    move = moves.ask(
        organisation=Organisation.objects.get(slug=told["slug"]),
        target=Shard.objects.get(pk=told["to"]),
        reason="A test",
        by="test",
        at=timezone.now(),
    )
    machine.run(move)
    print(move.step, move.error)  # noqa: T201  # read by the tests


if __name__ == "__main__":
    main()
