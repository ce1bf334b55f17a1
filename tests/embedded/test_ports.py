"""Ports: given out once, and not from those that outgoing connections take."""

import socket
from pathlib import Path

import pytest

from config.embedded import ports

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_are_given_out_once_and_taken_by_no_connection() -> None:
    found = [ports.free_port() for _ in range(300)]
    assert len(set(found)) == 300
    lowest = int(RANGE.read_text().split()[0]) if RANGE.exists() else ports.OUTGOING_FROM
    assert min(found) >= ports.LOWEST
    assert max(found) < lowest


def test_that_somebody_has_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.LOOPBACK, ports.free_port())) as server:
        taken, other = server.getsockname()[1], ports.free_port()
        drawn = iter([taken, other + 1, other + 2, other + 3])
        ports._given.discard(taken)
        monkeypatch.setattr("config.embedded.ports.random.randint", lambda low, high: next(drawn))
        assert ports.free_port() != taken


@pytest.mark.parametrize("said", ["1024 65535", "", "nothing"])
def test_are_found_where_the_system_leaves_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    (tmp_path / "range").write_text(said)
    monkeypatch.setattr(ports, "_RANGE", tmp_path / "range")
    assert ports.is_free(ports.free_port())
