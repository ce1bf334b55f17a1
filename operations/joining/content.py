"""The content of files, which lies outside the database, in a folder for each organisation."""

import os
import shutil
from collections.abc import Set
from pathlib import Path

from django.conf import settings


def bring(source: str, target: str, *, only: Set[str] | None = None) -> int:
    """Copy what one organisation's folder has and the other's has not; return how many files were copied.

    `only` are the names that are wanted, if not all. Before the rows that name them. The names are made by
    lot, so no two are the same. Copies are new: what is old and has no row is swept (records.files.storage).
    """
    there, here = (Path(settings.MEDIA_ROOT) / schema / "files" for schema in (source, target))
    copied = 0
    for path in sorted(there.rglob("*")) if there.exists() else ():
        name = path.relative_to(there)
        wanted = here / name
        if path.is_dir() or wanted.exists() or (only is not None and str(name) not in only):
            continue
        wanted.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = wanted.with_name(f"{wanted.name}.partial")
        try:
            shutil.copyfile(path, partial)
        except FileNotFoundError:
            continue  # swept meanwhile: no row names it
        os.replace(partial, wanted)
        copied += 1
    return copied
