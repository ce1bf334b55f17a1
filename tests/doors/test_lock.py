"""The lock is whole: for every Python that pyproject.toml allows, with hashes, and without addresses."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
PINNED = {canonicalize_name(name): version for name, version in re.findall(r"^(\S+?)==(\S+)", LOCK, re.M)}
# pip-compile leaves these to the environment, which has its own.
BROUGHT_BY_VENV = {"pip", "setuptools"}


class TestLock:
    def test_names_what_pyproject_asks_for(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]

        for requirement in map(Requirement, asked):
            assert requirement.specifier.contains(PINNED[canonicalize_name(requirement.name)]), requirement

    # Debian 12 has 3.11.2, for which packages ask for what later ones have in their standard library.
    @pytest.mark.parametrize("python", ["3.11.0", "3.11.2", "3.11.14"])
    def test_is_whole_on(self, python: str) -> None:
        here = {"python_version": "3.11", "python_full_version": python, "extra": ""}

        for name in PINNED:
            for text in importlib.metadata.requires(name) or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate(here):
                    assert canonicalize_name(needed.name) in PINNED.keys() | BROUGHT_BY_VENV, (
                        f"{name}: {text}"
                    )

    def test_has_hashes_and_no_addresses(self) -> None:
        entries = [entry for entry in re.split(r"\n(?=\S)", LOCK) if not entry.startswith("#")]

        assert len(entries) == len(PINNED)
        assert all("--hash=sha256:" in entry for entry in entries)
        assert "://" not in LOCK
        assert "--index-url" not in LOCK
