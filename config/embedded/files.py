"""Files that only their owner reads, one owner per data folder, and room on the disk."""

import errno
import fcntl
import os
import secrets
import shutil
from pathlib import Path
from typing import Self

from config.embedded.errors import CannotStart

LEAST_FREE_MB = 200


def write_private(path: Path, text: str) -> None:
    """Replace `path` with `text` in one step, mode 0600 from its first byte on."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    part.replace(path)


def secret_in(path: Path, *, length: int = 32) -> str:
    """The secret kept in `path`, made of `length` random bytes the first time, or when a crash emptied it."""
    kept = path.read_text().strip() if path.exists() else ""
    if not kept:
        kept = secrets.token_urlsafe(length)
        write_private(path, kept)
    return kept


def make_folder(folder: Path) -> Path:
    """Make `folder` if it is missing and return its absolute path; raises CannotStart."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The folder {folder} cannot be made ({error.strerror}); choose another one with --data."
        ) from error
    folder = folder.resolve()
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotStart(
            f"You may not write to {folder}; start as the user it belongs to, or choose another with --data."
        )
    return folder


def require_space(folder: Path, least_mb: int = LEAST_FREE_MB) -> None:
    """Raise CannotStart when the disk of `folder` has fewer than `least_mb` megabytes left."""
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < least_mb:
        raise CannotStart(
            f"The disk of {folder} has {free_mb} MB left; make at least {least_mb} MB free, "
            "or choose a folder on another disk with --data."
        )


def because_of(error: OSError, what: str, folder: Path) -> CannotStart:
    """What to say when `what` in `folder` failed for a reason of the system's."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_is_full(folder)
    about = f": {error.filename}" if error.filename else ""
    return CannotStart(
        f"{what} in {folder} cannot be started ({error.strerror}{about}); "
        "check the folder's owner, or choose another with --data."
    )


def disk_is_full(folder: Path) -> CannotStart:
    """What to say when nothing more can be written to `folder`."""
    return CannotStart(
        f"The disk of {folder} is full; make room, or choose a folder on another disk with --data."
    )


class FolderLock:
    """Held by the one process that runs servers in a folder; the system drops it when that process ends."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise CannotStart naming the process that holds it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise CannotStart(
                f"The folder {self.path.parent} is in use by process {holder}; "
                "stop that one first, or choose another folder with --data."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
