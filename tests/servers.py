"""A pytest plugin, loaded before Django's settings: real servers of the tests' own.

It only chooses ports and puts addresses into the environment; `start` is called by a fixture. Each
process (each worker of xdist) has its own PostgreSQL and Redis in a folder that is thrown away. A
prepared cluster is kept under var/ and copied, keyed by everything that its content depends on.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from config.embedded.redis import RedisServer
from tenants.bootstrap import Logins, environment, prepare

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "var" / "test-cluster"
KEPT_SECONDS = 3600
SHARDS = ("shard_1", "shard_2")
LOGINS = Logins(
    control="control-of-tests",
    app="app-of-tests",
    owner="owner-of-tests",
    mover="mover-of-tests",
    backup="backup-of-tests",
)
POSTGRES_PORT = free_port()
REDIS_PORT = free_port()
FOLDER = Path(tempfile.mkdtemp(prefix="enclave-tests-"))
FOLDER.chmod(0o711)  # the server of a copied cluster runs as another user
# A process that hands out tests and runs none has a folder as well.
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
_KEYED = (
    "tenants",
    "audit",
    "operations/actions",
    "config/settings",
    "config/embedded",
    "tests/rooms",
    "tests/servers.py",
)

os.environ.update(environment(host="127.0.0.1", port=POSTGRES_PORT, logins=LOGINS, shards=SHARDS))
# The running server, for tests that read its log or act as its superuser.
POSTGRES: PostgresServer | None = None
REDIS: RedisServer | None = None
REDIS_PASSWORD = "redis-of-tests"
os.environ["REDIS_URL"] = f"redis://:{REDIS_PASSWORD}@127.0.0.1:{REDIS_PORT}/0"
os.environ["ENCLAVE_FILES"] = str(FOLDER / "files")
os.environ["ENCLAVE_EXPORTS"] = str(FOLDER / "exports")


def _digest() -> str:
    """Return a digest of everything that the content of a prepared cluster depends on."""
    files: set[Path] = {ROOT / "requirements.lock"}
    for name in _KEYED:
        path = ROOT / name
        files.update([path] if path.is_file() else path.rglob("*.py"))
        files.update(path.rglob("*.sql"))
    for room in ROOT.iterdir():
        files.update((room / "migrations").glob("*.py"))
        files.update(room.glob("*/migrations/*.py"))
        files.update(file for file in (room / "audit.py", room / "apps.py") if file.exists())
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:20]


@contextmanager
def running() -> Iterator[None]:
    """Run the servers for a session of tests."""
    global POSTGRES, REDIS
    postgres = POSTGRES = PostgresServer(prepared_folder(FOLDER / "postgres"), POSTGRES_PORT, durable=False)
    redis = REDIS = RedisServer(FOLDER / "redis", REDIS_PORT, REDIS_PASSWORD)
    try:
        postgres.start()
        redis.start()
        yield
    finally:
        redis.stop()
        postgres.stop()
        shutil.rmtree(FOLDER, ignore_errors=True)


def prepared_folder(target: Path) -> Path:
    """Fill a folder with a prepared cluster: a copy of the kept one, which is made if it is missing."""
    CACHE.mkdir(parents=True, exist_ok=True)
    kept = CACHE / _digest()
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _forget_others()
            _make(kept)
    subprocess.run(["cp", "-a", str(kept), str(target)], check=True)
    return target


def _forget_others() -> None:
    """Drop clusters of older code, but not those that another run may be copying at this moment."""
    for old in CACHE.iterdir():
        if old.is_dir() and time.time() - old.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _make(kept: Path) -> None:
    building = FOLDER / "building"
    server = PostgresServer(building, POSTGRES_PORT, durable=False)
    server.start()
    try:
        prepare(superuser_url=server.superuser_url("postgres"), logins=LOGINS, shards=SHARDS)
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "prepare", "--ready", "3"],
            check=True,
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "ENCLAVE_LOGIN": "owner"},
        )
    finally:
        server.stop()
    subprocess.run(["cp", "-a", str(building), str(kept)], check=True)
    kept.touch()  # cp kept the times
    shutil.rmtree(building, ignore_errors=True)
