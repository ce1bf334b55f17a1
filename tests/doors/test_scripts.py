"""The commands in bin/ say what to do, wherever they are called from."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ("bin/up", "bin/test", "bin/check", "bin/bench", ".ci/run")


def run(*words: str | Path, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


class TestScripts:
    @pytest.mark.parametrize("name", SCRIPTS)
    def test_it_is_sound_shell_and_may_be_run(self, name: str, tmp_path: Path) -> None:
        assert os.access(ROOT / name, os.X_OK)
        assert run("bash", "-n", ROOT / name, cwd=tmp_path).returncode == 0

    def test_a_machine_without_python_gets_one_sentence(self, tmp_path: Path) -> None:
        shutil.copytree(ROOT / "bin", tmp_path / "bin")
        shutil.copy(ROOT / "requirements.lock", tmp_path)
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("bash", "env", "dirname", "readlink", "cmp", "mkdir", "flock"):
            found = shutil.which(name)
            assert found
            (tools / name).symlink_to(found)

        said = run(tmp_path / "bin" / "up", cwd=tmp_path, PATH=str(tools))

        assert said.returncode == 1
        assert said.stderr == (
            "Enclave needs Python 3.11, and there is no python3.11 on the PATH; please install it.\n"
        )

    def test_bench_lists_what_there_is(self, tmp_path: Path) -> None:
        said = run(ROOT / "bin" / "bench", cwd=tmp_path)

        assert said.returncode == 2
        assert said.stderr.startswith("Say which: bin/bench NAME.")

    def test_bench_runs_nothing_but_benchmarks(self, tmp_path: Path) -> None:
        assert run(ROOT / "bin" / "bench", "../manage", cwd=tmp_path).returncode == 2


class TestUp:
    def test_a_taken_port_is_named_before_anything_starts(self, tmp_path: Path) -> None:
        # A folder of this name must not be taken for ours, wherever the person stands.
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "__init__.py").write_text("raise SystemExit('the wrong one')")
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = str(other.getsockname()[1])

            said = run(ROOT / "bin" / "up", "--port", port, "--data", "data", cwd=tmp_path)

        assert said.returncode == 1
        assert said.stderr == f"Port {port} is in use by another program; choose another one with --port.\n"
        assert not (tmp_path / "data" / "postgres").exists()

    def test_an_impossible_port_is_explained(self, tmp_path: Path) -> None:
        said = run(ROOT / "bin" / "up", "--port", "70000", cwd=tmp_path)

        assert said.returncode == 2
        assert "70000 is no port; use a number from 1 to 65535" in said.stderr
