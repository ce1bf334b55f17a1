"""The variables of the last bin/up of a data folder, so that manage.py reaches the same servers."""

import json
import os
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path

from config.embedded.files import write_private

OWNERS = ("prepare", "migrate_fleet", "move", "export", "erase", "come_back", "merge", "split")
ROOT = Path(__file__).resolve().parent.parent.parent


def _file(data: Path) -> Path:
    return data / "run" / "variables.json"


def remember(data: Path, environment: Mapping[str, str]) -> None:
    """Keep what bin/up chose; what the person had set themself stays theirs to set."""
    chosen = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    write_private(_file(data), json.dumps(chosen))


def recall(variables: MutableMapping[str, str], command: str) -> None:
    """Add what bin/up chose in the folder ENCLAVE_DATA, or else var, where nothing is set already.

    A `command` of the owner's gets the owner's login, as it would from bin/up.
    """
    if command in OWNERS:
        variables.setdefault("ENCLAVE_LOGIN", "owner")
    data = Path(variables.get("ENCLAVE_DATA") or ROOT / "var")
    with suppress(OSError, ValueError):
        for name, value in json.loads(_file(data).read_text()).items():
            variables.setdefault(name, value)
