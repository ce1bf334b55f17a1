"""An installation of its own: its owner's commands, and a process that its people and operators use."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.restoring.conftest import ONE, TWO, Installation, Told, installed


@dataclass(frozen=True, slots=True)
class House:
    """An installation with one process that runs the owner's commands, and one that people use."""

    made: Installation
    owner: Told
    people: Told
    folder: Path

    def do(self, name: str, *words: object) -> Any:
        """Have people or operators do something (see `acting`), and return what came of it."""
        return self.people.tell(json.dumps([name, *words]))

    def refused(self, *words: str, typed: str = "") -> str:
        """Have a command run that is refused, and return why."""
        answer = self.owner.tell(json.dumps(words), *([typed] if typed else []))
        assert answer["failed"], answer
        return str(answer["failed"])

    def erase(self, slug: str) -> str:
        """Ask for an erasure at once as one operator and approve it as another."""
        self.owner.command("erase", slug, "--at-once", "--reason", "the contract ended", "--by", ONE)
        return self.owner.command("erase", slug, "--approve", "--by", TWO, typed=slug)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Two organisations, on a server each, and two operators."""
    with housed("tests.leaving.acting") as made:
        yield made


@contextmanager
def housed(acting: str) -> Iterator[House]:
    """Run an installation with the organisations and people that a module makes, which then do as told."""
    with installed(0) as made:
        folder = Path(made.variables["ENCLAVE_BACKUPS"]).parent
        made.variables["ENCLAVE_FILES"] = str(folder / "files")
        made.variables["ENCLAVE_EXPORTS"] = str(folder / "exports")
        with made.told("commanding", login="owner") as owner, _people(made, acting) as people:
            made.schemas.update({slug: (alias, schema) for slug, alias, schema in people.hear()})
            yield House(made, owner, people, folder)


def _people(made: Installation, acting: str) -> Told:
    return Told(
        subprocess.Popen(
            [sys.executable, "-m", acting],
            cwd=servers.ROOT,
            env={**made.variables, "ENCLAVE_LOGIN": "app"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
