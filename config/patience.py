"""A web server that does not wait for ever: a request that trickles in does not keep a thread.

The threads of gunicorn read requests without a limit of time. Sixteen connections that send a byte a second
would stop everybody else, where no proxy stands in front that takes requests in first.
"""

import errno
import os
import socket
import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

SECONDS = float(os.environ.get("WEB_PATIENCE_SECONDS", "20"))
BYTES_A_SECOND = 16_000  # what a slow telephone manages; more time is given for what has come


class TooSlow(ConnectionResetError):
    """The request did not come in within its time. The server closes the connection, and logs nothing."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The request comes in too slowly.")


class PatientSocket:
    """A connection whose request must come in at a pace; everything else is the socket's own."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """Start the clock for the next request."""
        self._began, self._come = time.monotonic(), 0

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what comes. Raises TooSlow when the time for the request is used up."""
        left = self._began + SECONDS + self._come / BYTES_A_SECOND - time.monotonic()
        if left <= 0:
            raise TooSlow
        given = self._connection.gettimeout()
        self._connection.settimeout(left if given is None else min(left, given))
        try:
            found = self._connection.recv(size, flags)
        except TimeoutError:
            raise TooSlow from None
        finally:
            # An answer may take as long as its reader needs.
            self._connection.settimeout(given)
        self._come += len(found)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gthread, with the clock running while a request is read."""

    def handle(self, conn: TConn) -> Any:
        """Serve a connection in a thread."""
        if isinstance(conn.sock, PatientSocket):
            conn.sock.begin()
        elif not self.cfg.is_ssl:
            conn.sock = PatientSocket(conn.sock)
        return super().handle(conn)
