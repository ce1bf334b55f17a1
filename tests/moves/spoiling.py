"""A move during which somebody tampers: SQL runs on a shard as the superuser just after a step.

With `held` their transactions stay open until a line of input comes, which is asked for by "held".
"""

import json
import sys
import threading
from typing import Any

import django
import psycopg

Opened = list[tuple["psycopg.Connection[Any]", str]]


def end(opened: Opened) -> None:
    """Commit what was done."""
    for connection, _ in opened:
        connection.commit()
        connection.close()


def let_go(opened: Opened) -> None:
    """Commit what was done when a line of input comes."""
    print("held", flush=True)  # noqa: T201  # read by the tests
    sys.stdin.readline()
    end(opened)


def main() -> None:
    """Move; the argument is JSON: slug, to, step, [url, statement] pairs, and held."""
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
            opened = [(psycopg.connect(url), statement) for url, statement in told["statements"]]
            for connection, statement in opened:
                connection.execute(f"SET search_path = {self.schema_name}".encode())
                connection.execute('SET app.actor = \'{"kind": "system"}\'')
                connection.execute(statement.encode())
            if told.get("held"):
                threading.Thread(target=let_go, args=(opened,)).start()
            else:
                end(opened)

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
