"""Several database servers in one data folder: what lies where, and that none is forgotten or made anew."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded import databases
from config.embedded.cluster import share_of
from config.embedded.databases import Databases
from config.embedded.errors import CannotStart
from config.embedded.options import read_options
from config.embedded.ports import remembered_ports


@pytest.fixture
def data(folder: Path) -> Path:
    """A data folder in which bin/up ran once, with one server."""
    (folder / "run").mkdir()
    databases.note(folder, 1)
    return folder


def make(data: Path, servers: int) -> Databases:
    """Return the servers of a data folder, launched and waited for."""
    names = tuple(databases.name_of(number) for number in range(1, servers + 1))
    ports = remembered_ports(data / "run" / "ports", names)
    found = Databases.in_folder(data, ports, servers=servers, durable=False)
    for server in found.servers:
        server.launch()
    for server in found.servers:
        server.wait_until_ready()
    databases.note(data, servers)
    return found


@pytest.fixture(scope="module")
def both() -> Iterator[Databases]:
    """Two servers, prepared."""
    folder = Path(tempfile.mkdtemp(prefix="enclave-embedded-"))
    folder.chmod(0o711)
    (folder / "run").mkdir()
    made = make(folder, 2)
    try:
        made.prepare()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


class TestHowMany:
    def test_is_one_in_an_empty_folder(self, tmp_path: Path) -> None:
        assert databases.how_many(tmp_path, None) == 1
        assert databases.how_many(tmp_path, 3) == 3

    def test_is_what_the_folder_has(self, data: Path) -> None:
        (data / "postgres-2" / "cluster" / "data").mkdir(parents=True)
        assert databases.how_many(data, None) == 2
        with pytest.raises(CannotStart, match="has 2 database servers with data"):
            databases.how_many(data, 1)

    def test_one_that_vanished_is_missed(self, data: Path) -> None:
        databases.note(data, 2)
        for wanted in (None, 2, 3):
            with pytest.raises(CannotStart, match=r"postgres-2 is gone, and with it shard_3"):
                databases.how_many(data, wanted)

    @pytest.mark.parametrize("said", ["0", "9", "two", "-1", ""])
    def test_is_a_small_number(self, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            read_options(["--servers", said])
        assert "use a number from 1 to 8" in capsys.readouterr().err


class TestTwo:
    def test_share_what_one_has_alone(self, both: Databases) -> None:
        for server in both.servers:
            with psycopg.connect(server.superuser_url()) as connection:
                query = "SELECT setting::bigint / 128 || 'MB' FROM pg_settings WHERE name = 'shared_buffers'"
                assert connection.execute(query).fetchone() == (share_of(2)["shared_buffers"],)

    @pytest.mark.parametrize(("memory", "buffers"), [(512, "128MB"), (24_000, "1500MB"), (500_000, "4096MB")])
    def test_take_their_part_of_the_memory(self, memory: int, buffers: str) -> None:
        assert share_of(2, memory=memory)["shared_buffers"] == buffers

    def test_have_their_databases_and_no_others(self, both: Databases) -> None:
        found = []
        for server in both.servers:
            with psycopg.connect(server.superuser_url()) as connection:
                rows = connection.execute(
                    "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1"
                )
                found.append([name for (name,) in rows if name != "postgres"])
        assert found == [["control", "shard_1", "shard_2"], ["shard_3"]]
        urls = both.urls()
        assert len(urls) == 14
        for name, url in urls.items():
            with psycopg.connect(url) as connection:
                kind = name.partition("_")[0].lower()
                own = f"enclave_{kind}" if kind in ("owner", "mover", "backup") else ""
                (login,) = connection.execute("SELECT session_user").fetchone() or ("",)
                assert login == (own or ("enclave_control" if "CONTROL" in name else "enclave_app"))

    @pytest.mark.nightly
    def test_one_that_is_added_takes_nothing_from_the_first(self, data: Path) -> None:
        alone = make(data, 1)
        alone.prepare()
        url = alone.servers[0].superuser_url("shard_1")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE public.kept AS SELECT 1 AS kept")
        before = alone.urls()
        alone.stop()
        two = make(data, 2)
        try:
            two.prepare()
            assert before.items() <= two.urls().items()
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT kept FROM public.kept").fetchone() == (1,)
        finally:
            two.stop()
        shutil.rmtree(data / "postgres-2")
        with pytest.raises(CannotStart, match="postgres-2 is gone"):
            databases.how_many(data, None)
