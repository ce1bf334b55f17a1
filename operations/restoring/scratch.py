"""A throw-away server on this machine that recovers a base back-up up to a moment and stands still there."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psycopg

from config.embedded.place import find_place, remove_place
from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from operations.restoring.gently import gently, step_back
from operations.restoring.places import CannotBackUp, owner_address

MOST_SECONDS = 3600.0


class ScratchServer(PostgresServer):
    """The embedded server, which is also ready when it only reads, and steps back for all others."""

    def launch(self) -> None:
        """Start it; the log is not replayed at the cost of those who are served meanwhile."""
        super().launch()
        step_back(self.pid)

    def _says_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() in ("ready", "standby")


@contextmanager
def recovered(*, backup: Path, archive: Path, to: datetime, folder: Path, alias: str) -> Iterator[int]:
    """Recover `backup` to a moment with the archived log; yield the port, when the shard answers there.

    Everything lies in `folder`, which is emptied before and deleted afterwards. Raises CannotBackUp.
    """
    _clear(folder)
    folder.mkdir(mode=0o711, parents=True)
    server = ScratchServer(folder, free_port(), durable=False, extra=_recovery(archive, to))
    try:
        _lay_out(backup, folder)
        server.start()
        _wait_until_there(server, address_on(alias, server.port), to)
        yield server.port
    finally:
        server.stop()
        _clear(folder)


def address_on(alias: str, port: int) -> str:
    """Return how the owner connects to a shard on such a server."""
    return owner_address(alias, host="127.0.0.1", port=port, sslmode="prefer")


def _recovery(archive: Path, to: datetime) -> dict[str, str]:
    where = shlex.quote(str(archive)).replace("%", "%%")
    return {
        "restore_command": f'cp {where}/%f "%p"',
        "recovery_target_time": to.isoformat(sep=" "),
        "recovery_target_inclusive": "on",
        "recovery_target_action": "pause",
        "hot_standby": "on",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "logical_decoding_work_mem": "4MB",
    }


def _lay_out(backup: Path, folder: Path) -> None:
    """Copy the back-up to where the server's user can use it."""
    place = find_place(folder)
    data = place.cluster / "data"
    subprocess.run(gently(["cp", "-a", "--reflink=auto", str(backup), str(data)]), check=True)
    (data / "recovery.signal").touch(mode=0o600)
    for path in (data, *data.rglob("*")):
        place.give(path)
    data.chmod(0o700)
    # Nobody signs in as the superuser here; the server's folder is expected to have the file.
    (folder / "superuser.password").write_text("-")


def _wait_until_there(server: ScratchServer, address: str, to: datetime) -> None:
    end = time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        if not server.is_running():
            raise CannotBackUp(f"The back-up could not be recovered up to {to}: {_why(server)}")
        with suppress(psycopg.OperationalError), psycopg.connect(address, autocommit=True) as connection:
            row = connection.execute("SELECT pg_get_wal_replay_pause_state()").fetchone()
            if row and row[0] == "paused":
                return
        time.sleep(0.1)
    raise CannotBackUp(f"The back-up was not recovered up to {to} within {MOST_SECONDS / 60:.0f} minutes.")


def _why(server: ScratchServer) -> str:
    lines = server._said().splitlines()
    telling = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:"))]
    return (telling or lines or ["it gave no reason"])[-1]


def _clear(folder: Path) -> None:
    if (folder / "cluster").is_symlink() or folder.exists():
        with suppress(OSError):
            remove_place(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        raise CannotBackUp(f"{folder} cannot be emptied.")
