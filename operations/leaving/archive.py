"""An export: everything of one organisation in one zip file that it keeps.

    export.json        format, organisation, moment, and of every other part its SHA-256 and size
    export.signature   this installation's word that export.json is its own
    people.csv         who its people are
    bundle/…           its schema, as operations.restoring.bundle writes it, with some tables sealed
    files/ab/abcd…     the content of its records' files

The file comes back from outside. It is believed only as far as the signature goes, which is looked at before
anything else is read: a bundle has statements in it that are run with the rights of an owner.
"""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import orjson
from cryptography.fernet import InvalidToken

from accounts import keys
from operations.leaving.problems import CannotReturn

FORMAT = 1
_SAID, _SIGNATURE = "export.json", "export.signature"
_PART = re.compile(
    r"people\.csv|bundle/(manifest\.json|before\.sql|after\.sql|(tables|sealed)/[a-z0-9_]{1,63})"
    r"|files/[0-9a-f]{2}/[0-9a-f]{32}"
)
_PURPOSE = "export.signature"
_CHUNK = 1 << 20
# Of what an export says of itself: a million files are 100 MB of it.
_MOST_SAID = 256 * 1024 * 1024


@dataclass
class Said:
    """What an export says of itself. `parts` has each part's SHA-256 and size in bytes by its name."""

    organisation: str
    slug: str
    name: str
    taken_at: str
    rows: int
    parts: dict[str, tuple[str, int]] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Return how many bytes all parts have."""
        return sum(size for _, size in self.parts.values())


def write(target: Path, said: Said, folders: dict[str, Path]) -> str:
    """Write an export and return its SHA-256. `folders` are what lies under each name; "" is above all.

    A part that disappears meanwhile is left out: content that no row names may go at any time.
    """
    partial = target.with_name(f"{target.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in _found(folders):
            try:
                said.parts[name] = _put(archive, name, path)
            except FileNotFoundError:
                continue
        text = orjson.dumps(asdict(said))
        archive.writestr(_SAID, text)
        archive.writestr(_SIGNATURE, _signature(text))
    partial.chmod(0o600)
    partial.rename(target)
    return digest_of(target)


def read(source: Path) -> Said:
    """Return what an export of this installation says; raise CannotReturn for anything else."""
    try:
        with zipfile.ZipFile(source) as archive:
            text = _limited(archive, _SAID, _MOST_SAID)
            signature = _limited(archive, _SIGNATURE, 1000)
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as problem:
        raise CannotReturn(f"{source.name} is no export: {problem}") from problem
    if not _is_ours(text, signature):
        raise CannotReturn(f"{source.name} was not written by this installation, or was changed since.")
    said = Said(**orjson.loads(text))
    if said.format != FORMAT:
        raise CannotReturn(f"{source.name} has format {said.format}, and this reads {FORMAT}.")
    return said


def unpack(source: Path, said: Said, target: Path) -> None:
    """Write the parts of an export into a new folder; raise CannotReturn unless each is what was signed.

    Only what the signed text names is read, under these names, and no byte more than it says.
    """
    if shutil.disk_usage(_there(target)).free < said.size + _CHUNK:
        raise CannotReturn(f"There is no room for the {said.size // 1024 // 1024:,} MB of this export.")
    with zipfile.ZipFile(source) as archive:
        for name, (digest, size) in said.parts.items():
            if not _PART.fullmatch(name):
                raise CannotReturn(f"{source.name} has a part of an unknown name.")
            path = target / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                found = _take(archive, name, path, size)
            except (KeyError, OSError, zipfile.BadZipFile, EOFError) as problem:
                raise CannotReturn(f"{name} cannot be read from {source.name}: {problem}") from problem
            if found != digest:
                raise CannotReturn(f"{name} is not what was exported; {source.name} is damaged.")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _found(folders: dict[str, Path]) -> Iterator[tuple[str, Path]]:
    for prefix, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            name = f"{prefix}{path.relative_to(folder).as_posix()}"
            if _PART.fullmatch(name):
                yield name, path


def _put(archive: zipfile.ZipFile, name: str, path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as part:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            part.write(chunk)
    return digest.hexdigest(), size


def _take(archive: zipfile.ZipFile, name: str, path: Path, size: int) -> str:
    digest, left = hashlib.sha256(), size + 1
    with archive.open(name) as part, path.open("xb") as file:
        while left and (chunk := part.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
            file.write(chunk)
    path.chmod(0o600)
    return digest.hexdigest()


def _limited(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    part: IO[bytes]
    with archive.open(name) as part:
        return part.read(most)


def _signature(text: bytes) -> bytes:
    """Return a digest that only who has a key of this installation could have encrypted."""
    return keys.box(_PURPOSE).encrypt(hashlib.sha256(text).digest())


def _is_ours(text: bytes, signature: bytes) -> bool:
    try:
        return keys.box(_PURPOSE).decrypt(signature) == hashlib.sha256(text).digest()
    except InvalidToken:
        return False


def _there(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
