"""Small disks, which can be filled: file systems in memory."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a file system in memory of a certain size, for a block.

    Root mounts it for all. Anybody else may do so in a namespace of their own, which a process holds as long
    as the block lasts; what is mounted there is reached through the root folder of that process.
    """
    folder = Path(tempfile.mkdtemp(prefix="enclave-disk-"))
    is_root = os.geteuid() == 0
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(folder)]
    if is_root:
        subprocess.run(words, check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
            folder.rmdir()
        return
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    holding = ["sh", "-c", '"$@" && echo mounted && cat', "sh", *words]
    with subprocess.Popen([*alone, *holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mounted\n", "this test needs namespaces of users, or root"
        yield Path(f"/proc/{holder.pid}/root") / folder.relative_to("/")
        holder.communicate()
    folder.rmdir()


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no byte free on a disk, for a block."""
    ballast = folder / "ballast"
    try:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        assert shutil.disk_usage(folder).free == 0
        yield
    finally:
        ballast.unlink()
