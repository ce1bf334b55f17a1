"""The description as containers gives each process what it needs and no more."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.embedded.parts import APP_QUEUES

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = {"postgres", "pgbouncer", "redis", "prepare", "web", "worker", "owner-worker", "beat"}
OWNERS = {"prepare", "owner-worker"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services by name."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def variables(service: dict[str, Any]) -> dict[str, str]:
    """A service's variables."""
    found: dict[str, str] = service.get("environment", {})
    return found


class TestCompose:
    def test_every_part_of_bin_up_is_there(self, services: dict[str, Any]) -> None:
        assert set(services) == PARTS

    def test_only_the_owners_processes_know_the_owners_login(self, services: dict[str, Any]) -> None:
        knowing = {name for name, service in services.items() if "OWNER_PASSWORD" in str(service)}

        assert knowing == OWNERS
        assert {name for name, service in services.items() if "MOVER_PASSWORD" in str(service)} == OWNERS
        for name, service in services.items():
            assert (variables(service).get("ENCLAVE_LOGIN") == "owner") == (name in OWNERS)

    def test_only_prepare_and_the_server_know_the_superuser(self, services: dict[str, Any]) -> None:
        knowing = {name for name, service in services.items() if "SUPERUSER_PASSWORD" in str(service)}

        assert knowing == {"postgres", "prepare"}

    def test_the_app_goes_through_the_pooler_and_the_owner_does_not(self, services: dict[str, Any]) -> None:
        for name, url in variables(services["owner-worker"]).items():
            if name.endswith("_DATABASE_URL"):
                assert ("@postgres:" in url) == name.startswith(("OWNER_", "MOVER_"))

    def test_the_worker_serves_the_queues_that_bin_up_serves(self, services: dict[str, Any]) -> None:
        assert f"--queues={APP_QUEUES}" in services["worker"]["command"]

    def test_no_secret_is_written_down(self) -> None:
        text = (ROOT / "docker-compose.yml").read_text()

        for name in set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)", text)):
            assert not re.search(rf"\$\{{{name}:-[^}}]", text), name
        assert not re.search(r"PASSWORD: (?!\$\{)", text)

    def test_images_name_their_version(self, services: dict[str, Any]) -> None:
        for service in services.values():
            if "build" not in service:
                assert re.search(r":v?\d", service["image"])


class TestImage:
    def test_it_does_not_run_as_root(self) -> None:
        users = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

        assert users
        assert users[-1] not in ("root", "0")

    def test_nothing_of_this_machine_goes_into_it(self) -> None:
        ignored = (ROOT / ".dockerignore").read_text().split()

        assert {".git", ".venv", "var", ".env"} <= set(ignored)
