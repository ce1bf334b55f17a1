"""A second PostgreSQL server which holds the second shard, to be stopped, frozen and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # the package ships no types
import psycopg
from django.conf import settings
from django.db import connections

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from operations.models import ShardHealth
from tenants import breaker
from tenants.models import Organisation
from tests.servers import prepared_folder
from tests.workers import wait_for

ALIAS = "shard_2"


class SecondServer:
    """The server, with what may happen to it."""

    def __init__(self, postgres: PostgresServer) -> None:
        self.postgres = postgres

    @property
    def variables(self) -> dict[str, str]:
        """The variables by which a process finds its shard here."""
        found = {}
        for name in ("SHARD_2_DATABASE_URL", "OWNER_SHARD_2_DATABASE_URL"):
            head, _, database = os.environ[name].rpartition("/")
            found[name] = f"{head.rpartition(':')[0]}:{self.postgres.port}/{database}"
        return found

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends every connection in order, SIGQUIT is an immediate stop."""
        connections[ALIAS].close()
        os.kill(self.postgres.pid, how)
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.postgres.pid).wait(timeout=30)
        self.postgres.stop()

    def start(self) -> None:
        """Start it again, and return when the test's own process uses it too."""
        self.postgres.start()
        self.wait_until_used()

    def wait_until_used(self) -> None:
        """Return when the test's own process uses it."""
        wait_for(lambda: not breaker.of(ALIAS).is_open, seconds=30)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it take connections and never answer, for a block."""
        # The list is taken while they run; the postmaster is stopped first so that it makes no further ones.
        os.kill(self.postgres.pid, signal.SIGSTOP)
        children = psutil.Process(self.postgres.pid).children(recursive=True)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.suspend()
        try:
            yield
        finally:
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.resume()
            os.kill(self.postgres.pid, signal.SIGCONT)


@contextmanager
def only_meanwhile() -> Iterator[None]:
    """Forget, at the end of a block, the organisations that were made on the second server in it.

    Those of the session live on the tests' own server and are needed after it.
    """
    before = list(Organisation.objects.filter(shard=ALIAS).values_list("pk", flat=True))
    yield
    Organisation.objects.filter(shard=ALIAS).exclude(pk__in=before).delete()
    ShardHealth.objects.all().delete()


@contextmanager
def second_server(*, durable: bool = False, below: Path | None = None) -> Iterator[SecondServer]:
    """Run a copy of the tests' prepared cluster, and let the second shard be the one on it.

    `durable` lets it wait for the disk; `below` is a folder to put it in.
    """
    folder = Path(tempfile.mkdtemp(prefix="enclave-second-", dir=below))
    folder.chmod(0o711)
    postgres = PostgresServer(prepared_folder(folder / "postgres"), free_port(), durable=durable)
    database = settings.DATABASES[ALIAS]
    before = database["PORT"]
    postgres.start()
    _discard_ready(postgres)
    connections[ALIAS].close()
    database["PORT"] = connections[ALIAS].settings_dict["PORT"] = str(postgres.port)
    try:
        yield SecondServer(postgres)
    finally:
        connections[ALIAS].close()
        database["PORT"] = connections[ALIAS].settings_dict["PORT"] = before
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _discard_ready(postgres: PostgresServer) -> None:
    """Drop the schemas that lie ready in the copy: the original has given out the same names."""
    with psycopg.connect(postgres.superuser_url(ALIAS), autocommit=True) as connection:
        connection.execute("SET ROLE enclave_owner")
        names = connection.execute("SELECT schema_name FROM enclave.issued WHERE state = 'ready'").fetchall()
        for (name,) in names:
            connection.execute("SELECT enclave.discard(%s)", (name,))


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
