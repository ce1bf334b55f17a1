"""The embedded Redis: side by side, after a kill, and closed to who has no password."""

import os
import signal
import socket
from pathlib import Path

import pytest
import redis as client

from config.embedded.errors import CannotStart
from config.embedded.ports import free_port
from config.embedded.processes import wait_until
from config.embedded.redis import RedisServer


def connect(server: RedisServer) -> client.Redis:
    """A client that knows the password."""
    return client.Redis(host="127.0.0.1", port=server.port, password=server.password)


class TestRunning:
    def test_two_servers_run_at_once_and_share_nothing(self, folder: Path, redis: RedisServer) -> None:
        other = RedisServer(folder / "other", free_port(), "another-password")
        with redis.running(), other.running(), connect(redis) as one, connect(other) as two:
            one.set("only", "in one")

            assert one.get("only") == b"in one"
            assert two.get("only") is None

    def test_without_the_password_it_answers_nothing(self, redis: RedisServer) -> None:
        with redis.running():
            assert redis.answers()
            assert not RedisServer(redis.folder, redis.port, "guess").answers()

    def test_a_killed_server_starts_again(self, redis: RedisServer) -> None:
        redis.start()
        os.kill(redis.pid, signal.SIGKILL)
        assert wait_until(lambda: not redis.is_running(), 5)
        redis.stop()

        redis.start()

        assert redis.answers()

    def test_a_taken_port_is_named(self, redis: RedisServer) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", redis.port))
            other.listen()
            with pytest.raises(CannotStart, match=f"Port {redis.port}, meant for Redis, is in use"):
                redis.start()
