"""Ports on 127.0.0.1: which are free, and which one a data folder used last time."""

import json
import random
import socket
from pathlib import Path

from config.embedded.files import write_private

LOOPBACK = "127.0.0.1"
LOWEST = 12_000  # above what people like to give to servers of their own
OUTGOING_FROM = 32_768  # where the system does not say it
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_given: set[int] = set()


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `port` of `host` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without this a port that a stopped server used seconds ago would look taken (TIME_WAIT).
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on at this moment, and that this process gives out once.

    It lies below those that the system takes for outgoing connections: one of these would otherwise have it,
    now and then, by the time that a server starts.
    """
    highest = _outgoing_from() - 1
    for _ in range(1000 if highest > LOWEST + 1000 else 0):
        port = random.randint(LOWEST, highest)  # noqa: S311  # no secret; others choose elsewhere, mostly
        if port not in _given and is_free(port, host):
            _given.add(port)
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _outgoing_from() -> int:
    """Return the lowest port of outgoing connections."""
    try:
        return int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return OUTGOING_FROM


def remembered_ports(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """One free port per name: last time's, kept in `path`, where it is still free, else a new one."""
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError):
        before = {}
    chosen: dict[str, int] = {}
    for name in names:
        port = before.get(name) if isinstance(before, dict) else None
        while not isinstance(port, int) or port in chosen.values() or not is_free(port):
            port = free_port()
        chosen[name] = port
    write_private(path, json.dumps(chosen))
    return chosen
