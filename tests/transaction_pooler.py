"""A pooler in transaction mode, small and real: many clients, one connection to the server.

It speaks PostgreSQL's wire protocol. A client holds the server connection from its first message
until the server says that no transaction is open (ReadyForQuery with status I), as PgBouncer does in
transaction mode.
"""

import socket
import struct
import threading
from typing import Self

_READY = b"Z"
_IDLE = b"I"


class TransactionPooler:
    """Listens on a free port of 127.0.0.1; as a context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._server_address = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._turn = threading.Lock()
        self._server: socket.socket | None = None
        self._greeting = b""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        if self._server is not None:
            self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            startup = self._startup(client)
            with self._turn:
                if self._server is None:
                    self._log_in(client, startup)
                else:
                    # The server connection is logged in already; PgBouncer checks passwords itself here.
                    client.sendall(self._greeting)
            while True:
                first = client.recv(65536)
                if not first:
                    return
                if first[:1] == b"X":
                    return
                with self._turn:
                    self._one_transaction(client, first)
        except OSError:
            return
        finally:
            client.close()

    def _startup(self, client: socket.socket) -> bytes:
        while True:
            (length,) = struct.unpack("!I", _exactly(client, 4))
            body = _exactly(client, length - 4)
            (code,) = struct.unpack("!I", body[:4])
            if code in (80877103, 80877104):  # asks for TLS or GSS
                client.sendall(b"N")
                continue
            return struct.pack("!I", length) + body

    def _log_in(self, client: socket.socket, startup: bytes) -> None:
        """Let the first client log in, and keep what the server said from AuthenticationOk on."""
        server = socket.create_connection(self._server_address)
        server.sendall(startup)
        greeting = b""
        while True:
            kind, message = _message(server)
            client.sendall(message)
            if kind == b"R":
                (how,) = struct.unpack("!I", message[5:9])
                if how == 0:
                    greeting = message
                elif how != 12:  # every step but SCRAM's last waits for the client
                    _, answer = _message(client)
                    server.sendall(answer)
            elif greeting:
                greeting += message
            if kind == _READY:
                break
        self._server, self._greeting = server, greeting

    def _one_transaction(self, client: socket.socket, first: bytes) -> None:
        server = self._server
        if server is None:
            raise OSError("no server connection")
        server.sendall(first)
        while True:
            kind, message = _message(server)
            client.sendall(message)
            if kind == _READY:
                if message[5:6] == _IDLE:
                    return
                more = client.recv(65536)
                if not more:
                    raise OSError("client left inside a transaction")
                server.sendall(more)


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = source.recv(size - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(source, 5)
    (length,) = struct.unpack("!I", head[1:])
    return head[:1], head + _exactly(source, length - 4)
