"""A whole installation for a benchmark: servers of its own, durable as in production, thrown away after."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from config.embedded.redis import RedisServer
from tenants.bootstrap import Logins, environment, prepare

ROOT = Path(__file__).resolve().parent.parent
SHARDS = ("shard_1", "shard_2")
_REDIS_PASSWORD = "redis-of-benchmarks"


@dataclass(frozen=True, slots=True)
class Installation:
    """The servers of one benchmark and the variables that lead to them."""

    postgres: PostgresServer
    folder: Path
    variables: dict[str, str]
    second: PostgresServer | None = None


@contextmanager
def running(*, ready: int = 0, two_servers: bool = False) -> Iterator[Installation]:
    """Start the servers, prepare them with `ready` schemas on each shard, and set Django up.

    With `two_servers` the second shard is on a server of its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="enclave-bench-"))
    logins = Logins.make()
    postgres = PostgresServer(folder / "postgres", free_port(), durable=True)
    second = PostgresServer(folder / "second", free_port(), durable=True) if two_servers else None
    redis_port = free_port()
    redis = RedisServer(folder / "redis", redis_port, _REDIS_PASSWORD)
    try:
        postgres.start()
        redis.start()
        variables = environment(host="127.0.0.1", port=postgres.port, logins=logins, shards=SHARDS)
        variables["REDIS_URL"] = f"redis://:{_REDIS_PASSWORD}@127.0.0.1:{redis_port}/0"
        variables["ENCLAVE_FILES"] = str(folder / "files")
        variables["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
        os.environ.update(variables)
        prepare(superuser_url=postgres.superuser_url("postgres"), logins=logins, shards=SHARDS)
        if second is not None:
            os.environ.update(_start_second(second, logins))
        manage("prepare", "--ready", str(ready), owner=True)
        _set_up_django()
        yield Installation(postgres, folder, variables, second)
    finally:
        redis.stop()
        postgres.stop()
        if second is not None:
            second.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start_second(second: PostgresServer, logins: Logins) -> dict[str, str]:
    """Start and prepare the server of the second shard, and return the variables that lead to it."""
    second.start()
    prepare(superuser_url=second.superuser_url("postgres"), logins=logins, shards=SHARDS)
    variables = environment(host="127.0.0.1", port=second.port, logins=logins, shards=SHARDS)
    return {name: url for name, url in variables.items() if "SHARD_2" in name}


def manage(*words: str, owner: bool = False) -> None:
    """Run one of manage.py's commands against the running servers."""
    login = "owner" if owner else "app"
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "ENCLAVE_LOGIN": login})


def _set_up_django() -> None:
    import django

    django.setup()


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1))]


def report(name: str, *, figures: dict[str, Any], baselines: dict[str, Any], ratios: dict[str, Any]) -> None:
    """Print the one JSON object of a benchmark."""
    print(json.dumps({"bench": name, "figures": figures, "baselines": baselines, "ratios": ratios}))
