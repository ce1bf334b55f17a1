"""Remembering what was done for which state of the code, so that a second start does not do it again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from config.embedded.files import write_private

NOT_THE_PRODUCT = {"tests", "benchmarks", "docs", "var", "staticfiles", "bin"}


def code_stamp(root: Path) -> str:
    """A digest of all that decides what the databases look like: our code, our SQL, the packages.

    Migrations alone would not do: the template is also made of triggers compiled from the models.
    """
    files = [path for folder in _rooms(root) for end in ("py", "sql") for path in folder.rglob(f"*.{end}")]
    return _digest(root, [*files, root / "requirements.lock"])


def static_stamp(root: Path) -> str:
    """A digest of all that decides what the collected static files are."""
    folders = [root / "static", *(room / "static" for room in _rooms(root))]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return _digest(root, [*files, root / "requirements.lock"])


class Stamps:
    """Small files in `folder`, one for each thing done, holding the state it was done for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, name: str, state: str) -> bool:
        """Whether `name` was done for exactly this state."""
        try:
            return (self.folder / f"done-{name}").read_text() == state
        except OSError:
            return False

    def set(self, name: str, state: str) -> None:
        """Note that `name` is done for this state."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(self.folder / f"done-{name}", state)

    def forget(self, name: str) -> None:
        """Note that `name` has to be done again; called before doing it, as doing may be interrupted."""
        (self.folder / f"done-{name}").unlink(missing_ok=True)


def _rooms(root: Path) -> list[Path]:
    return sorted(
        folder
        for folder in root.iterdir()
        if folder.is_dir() and folder.name not in NOT_THE_PRODUCT and not folder.name.startswith(".")
    )


def _digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        if "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(root)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
