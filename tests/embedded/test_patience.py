"""IMP-6: a request that trickles in is closed, and keeps nobody else waiting."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.ports import free_port
from config.embedded.processes import wait_until

ROOT = Path(__file__).parents[2]
HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n"
TRICKLE = 0.05  # seconds between bytes
MOST = 400  # bytes after which a test gives up


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with one thread, whose patience ends after a second."""
    found = free_port()
    words = ["-k", "config.patience.PatientWorker", "-w", "1", "--threads", "1", "--no-control-socket"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{found}", *words, "tests.embedded.echo"],
        cwd=ROOT,
        env={**os.environ, "WEB_PATIENCE_SECONDS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        try:
            return asked(found, b"x") == b"1"
        except OSError:
            return False

    assert wait_until(answers, 20)
    yield found
    server.terminate()
    server.wait()


def asked(port: int, body: bytes) -> bytes:
    """Send a request as fast as it goes, and return the answer."""
    with connected(port) as connection:
        connection.sendall(HEAD % len(body) + body)
        return answer_on(connection)


def answer_on(connection: socket.socket) -> bytes:
    """Return the body of the next answer, whose head and body may come apart."""
    found = b""
    while not found.rpartition(b"\r\n\r\n")[2] and (more := connection.recv(1000)):
        found += more
    return found.rpartition(b"\r\n\r\n")[2]


def trickle(connection: socket.socket) -> bool:
    """Send a byte now and then, and return whether the server closed the connection."""
    connection.setblocking(False)
    for _ in range(MOST):
        time.sleep(TRICKLE)
        try:
            connection.send(b"x")
            if connection.recv(1000) == b"":
                return True
        except BlockingIOError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize("begun", [HEAD % 100_000, b"POST / HTTP/1.1\r\nX-Slow: "])
def test_a_request_of_a_byte_now_and_then_is_closed(port: int, begun: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(begun)
        assert trickle(connection)


def test_a_body_that_is_shorter_than_it_says_keeps_nobody_waiting(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(HEAD % 100 + b"x")
        assert asked(port, b"hello") == b"5"
        assert connection.recv(1000) == b""


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(HEAD % 100 + bytes(99))
        connection.shutdown(socket.SHUT_WR)
        assert answer_on(connection) == b""
    assert asked(port, bytes(100)) == b"100"


def test_a_large_body_comes_in(port: int) -> None:
    assert asked(port, bytes(5_000_000)) == b"5000000"


def test_a_connection_that_is_kept_has_the_whole_time_for_each_request(port: int) -> None:
    with connected(port) as connection:
        for _ in range(3):
            time.sleep(0.5)
            connection.sendall(HEAD % 2 + b"ab")
            assert answer_on(connection) == b"2"
