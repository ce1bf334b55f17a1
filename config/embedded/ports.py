"""Ports on 127.0.0.1: which are free, and which one a data folder used last time."""

import json
import socket
from pathlib import Path

from config.embedded.files import write_private

LOOPBACK = "127.0.0.1"


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
    """A port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


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
