"""Names for people and keys for programs, out of file names and headers."""

import re
import unicodedata
from collections.abc import Collection

_ENDINGS = re.compile(r"(\.(zip|csv|tsv|txt|tab|xlsx|xlsm))+$", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
KEY_LENGTH = 60  # characters, leaving room for a number behind
NAME_LENGTH = 100


def human_name(header: str) -> str:
    """Return how a person would write a header: "dep_time" is "Dep time", "unitPrice" is "Unit price"."""
    words = re.split(r"[\s_.-]+", _HUMP.sub(" ", header))
    spoken = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words if word)
    name = (spoken[:1].upper() + spoken[1:])[:NAME_LENGTH].strip()
    return name or header[:NAME_LENGTH]


def collection_name(filename: str) -> str:
    """Return a name for a collection: "data/crowd_readings.csv.zip" is "Crowd readings"."""
    plain = re.split(r"[/\\]", "".join(mark for mark in filename if mark.isprintable()))[-1]
    return human_name(_ENDINGS.sub("", plain)) or "Imported table"


def plain_key(name: str) -> str:
    """Return letters, digits and underscores for a name; "" if none are left."""
    ascii_only = unicodedata.normalize("NFKD", _HUMP.sub("_", name)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_only.lower()).strip("_")[:KEY_LENGTH].strip("_")


def key_for(name: str, taken: Collection[str]) -> str:
    """Return a key for a field that no other field has."""
    base = plain_key(name)
    if not base[:1].isalpha():
        base = f"field_{base}".rstrip("_")[:KEY_LENGTH]
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base[: KEY_LENGTH - 4]}_{number}"
    return key
