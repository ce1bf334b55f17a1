"""Where back-ups lie, and the addresses of the servers they are taken of."""

import os
from pathlib import Path

from django.conf import settings
from django.db import connections
from psycopg.conninfo import make_conninfo


class CannotBackUp(RuntimeError):
    """A copy cannot be made or read; says why."""


def folder() -> Path:
    """Return the folder of all back-ups, made if missing, for its owner only."""
    found = Path(os.environ.get("ENCLAVE_BACKUPS") or Path(settings.DATA_DIR) / "backups")
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def archive(alias: str) -> Path:
    """Return the folder of the archived log of a shard's server; raises CannotBackUp."""
    named = os.environ.get(f"{alias.upper()}_WAL_ARCHIVE")
    found = Path(named) if named else Path(settings.DATA_DIR) / "postgres" / "cluster" / "wal"
    if not found.is_dir():
        raise CannotBackUp(f"There is no archive of the log at {found}; set {alias.upper()}_WAL_ARCHIVE.")
    return found.resolve()


def may_back_up(alias: str) -> bool:
    """Return whether this process was given the login that may copy the shard's server."""
    return bool(os.environ.get(f"BACKUP_{alias.upper()}_DATABASE_URL"))


def backup_address(alias: str) -> str:
    """Return the URL of the login that may copy the shard's server; raises CannotBackUp."""
    name = f"BACKUP_{alias.upper()}_DATABASE_URL"
    if not os.environ.get(name):
        raise CannotBackUp(f"{name} is not set; only a process that backs up should know it.")
    return os.environ[name]


def owner_address(alias: str, **changed: object) -> str:
    """Return how the owner connects to a shard, with parts of the address changed."""
    database = connections[alias].settings_dict
    parts: dict[str, object] = {
        "host": database["HOST"],
        "port": database["PORT"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "dbname": database["NAME"],
        **{name: value for name, value in database["OPTIONS"].items() if name != "pool"},
        **changed,
    }
    return make_conninfo("", **parts)  # type: ignore[arg-type]  # names and values of libpq
