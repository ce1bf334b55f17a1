"""Making a PostgreSQL cluster, and the settings its server runs with."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from config.embedded.errors import CannotStart
from config.embedded.files import disk_is_full, secret_in, write_private
from config.embedded.memory import megabytes
from config.embedded.place import MAJOR, Place

SUPERUSER = "postgres"
WAL = "wal"

SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

COMMON = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    # Replaying the text of a template schema takes a lock for each of its objects in one transaction.
    "max_locks_per_transaction": "1024",
    # Organisations move between servers by logical replication (docs/deploy.md).
    "wal_level": "logical",
    # One table at a time: those who work meanwhile need the processors more than a move needs to be quick.
    "max_sync_workers_per_subscription": "1",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "password_encryption": "scram-sha-256",
}

MAX_WAL_MB = 2048


def share_of(servers: int, *, memory: int | None = None) -> dict[str, str]:
    """Return the settings by which one of several servers on this machine takes no more than its part.

    Everybody's catalogue should fit into `shared_buffers`: 1.2 MB for each organisation. An eighth of the
    memory (in MB; this machine's) is for it, and is used only as it is needed; half is said to be for the
    system's own cache of files.
    """
    memory = megabytes() if memory is None else memory
    sizes = {
        "shared_buffers": min(max(memory // 8, 256), 8192),
        "effective_cache_size": max(memory // 2, 1024),
        "max_wal_size": MAX_WAL_MB,
    }
    return {name: f"{size // servers}MB" for name, size in sizes.items()}


# A test's cluster is thrown away: nothing is gained by waiting for the disk.
THROWAWAY = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "archive_mode": "off",
    "autovacuum_naptime": "10min",
}


def settings(place: Place, *, port: int, socket_folder: Path, durable: bool) -> dict[str, str]:
    """The server's settings by name; `durable` False trades every safety for speed."""
    chosen = {**COMMON, **share_of(1), "port": str(port), "unix_socket_directories": f'"{socket_folder}"'}
    if not durable:
        return {**chosen, **THROWAWAY}
    return {
        **chosen,
        "synchronous_commit": "on",
        "archive_mode": "on",
        "archive_command": archive_command(wal_folder(place)),
    }


def wal_folder(place: Place) -> Path:
    """Where finished segments of the write-ahead log are kept."""
    return place.cluster / WAL


def archive_command(folder: Path) -> str:
    """A shell command that copies a segment whole or not at all, and never over a different one."""
    # PostgreSQL replaces %p and %f itself, so a % of ours is doubled.
    where = shlex.quote(str(folder)).replace("%", "%%")
    kept, part = f"{where}/%f", f"{where}/.%f.part"
    copy = f'cp "%p" {part} && sync {part} && mv {part} {kept}'
    return f'if test -f {kept}; then cmp -s "%p" {kept}; else {copy}; fi'


def prepare_cluster(place: Place, *, password_file: Path, durable: bool) -> Path:
    """Make the cluster if there is none yet and return its data folder; raises CannotStart."""
    data = place.cluster / "data"
    if data.exists():
        _check(data, password_file)
        return data
    _initialise(place, data, password=secret_in(password_file), durable=durable)
    return data


def _check(data: Path, password_file: Path) -> None:
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except OSError:
        version = ""
    restore = "bring it back from a copy, or choose another folder with --data"
    if not version or not (data / "global" / "pg_control").exists():
        raise CannotStart(f"The database in {data} is damaged; {restore}.")
    if version != MAJOR:
        raise CannotStart(f"The database in {data} is of PostgreSQL {version}, not {MAJOR}; {restore}.")
    if not password_file.exists() or not password_file.read_text().strip():
        raise CannotStart(f"The password file {password_file} is missing or empty; {restore}.")


def _initialise(place: Place, data: Path, *, password: str, durable: bool) -> None:
    part = data.with_name("data.part")
    if part.exists():  # an earlier start was interrupted here
        shutil.rmtree(part)
    handed_over = place.cluster / ".password"
    write_private(handed_over, password)
    place.give(handed_over)
    wal = wal_folder(place)
    wal.mkdir(mode=0o700, exist_ok=True)
    place.give(wal)
    command = [
        str(place.programs / "initdb"),
        f"--pgdata={part}",
        f"--username={SUPERUSER}",
        f"--pwfile={handed_over}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth=scram-sha-256",
        "--no-instructions",
        *([] if durable else ["--no-sync"]),
    ]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env=SERVER_ENVIRONMENT,
            cwd=place.cluster,
            check=False,
            user=None if place.run_as is None else place.run_as.uid,
            group=None if place.run_as is None else place.run_as.gid,
            extra_groups=None if place.run_as is None else [],
        )
    finally:
        handed_over.unlink(missing_ok=True)
    if done.returncode != 0:
        shutil.rmtree(part, ignore_errors=True)
        raise CannotStart(explain(done.stderr, data))
    part.rename(data)


def explain(said: str, data: Path) -> str:
    """One sentence for a person, made of what the server or initdb wrote before it gave up."""
    if "No space left on device" in said:
        return str(disk_is_full(data))
    if "could not bind" in said or "Address already in use" in said:
        return "The database's port is in use by another program; start again, and another one is taken."
    telling = [
        line for line in said.splitlines() if any(word in line for word in ("PANIC:", "FATAL:", "error:"))
    ]
    reason = telling[0].split("  ", 1)[-1].strip() if telling else "it gave no reason"
    return (
        f"The database in {data} does not start ({reason}); "
        "bring it back from a copy, or choose another folder with --data."
    )
