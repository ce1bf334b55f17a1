"""The edge: one address in front of the pools of several releases. `python -m config.edge --help`.

It knows no organisation and asks no database. A request goes to the pool where its host was served last,
at first to the one it was started with; a process whose release the organisation is not on answers 421
with the right pool, and the request goes there. Its body is taken in whole before, so that it can
be sent again. docs/releases.md has the same rule for nginx.

For one's own machine and for tests: plain HTTP, one request a connection.
"""

import argparse
import asyncio
import logging
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from tenants.releases import POOL_HEADER

logger = logging.getLogger(__name__)
HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 1024**3
IN_MEMORY = 1024 * 1024
CHUNK = 64 * 1024
PATIENCE_SECONDS = 60.0
MISDIRECTED = 421
MOST_POOLS = 4  # an organisation may be placed back while a request is on its way
_REMEMBERED = 10_000
_POOL = re.compile(r"[A-Za-z0-9.-]+:[0-9]{1,5}")
_NOT_PASSED_ON = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "expect",
    "content-length",
    "proxy-connection",
}
# Ours to say, whatever came in.
_OURS = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"}
_SAID = {
    400: "Bad request.",
    413: "Too large.",
    502: "The application does not answer. Try again in a moment.",
    503: "This organisation is being upgraded. Try again in a moment.",
}


class Refused(Exception):
    """A request that the edge answers by itself, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(_SAID[status])
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a request or an answer, and its headers in order."""

    line: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return a header's value, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def written(self, keep: Callable[[str], bool], *more: tuple[str, str]) -> bytes:
        """Return the head as it is sent on: the headers that are kept, and more."""
        kept = [(name, value) for name, value in self.headers if keep(name.lower())]
        lines = [self.line, *(f"{name}: {value}" for name, value in (*kept, *more)), "", ""]
        return "\r\n".join(lines).encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Read up to the empty line. Raises Refused for what is none."""
    try:
        raw = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError, TimeoutError) as problem:
        raise Refused(400) from problem
    line, *rest = raw[:-4].decode("latin-1").split("\r\n")
    headers = []
    for one in rest:
        name, colon, value = one.partition(":")
        if not colon or not name or name != name.strip():
            raise Refused(400)
        headers.append((name, value.strip()))
    return Head(line, tuple(headers))


async def read_body(head: Head, reader: asyncio.StreamReader, body: IO[bytes]) -> int:
    """Take a request's body in and return its length. Raises Refused."""
    lengths = {value for name, value in head.headers if name.lower() == "content-length"}
    coding = head.get("transfer-encoding").lower()
    if len(lengths) > 1 or (lengths and coding) or coding not in ("", "chunked"):
        raise Refused(400)  # two readings of one request
    if coding:
        return await _read_chunks(reader, body)
    length = lengths.pop() if lengths else "0"
    if not (length.isascii() and length.isdigit()):
        raise Refused(400)
    if int(length) > BODY_LIMIT:
        raise Refused(413)
    await _copy(reader, body, int(length))
    return int(length)


async def _read_chunks(reader: asyncio.StreamReader, body: IO[bytes]) -> int:
    total = 0
    while True:
        line = (await _patiently(reader.readuntil(b"\r\n"))).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", line):
            raise Refused(400)
        size = int(line, 16)
        total += size
        if total > BODY_LIMIT:
            raise Refused(413)
        if size == 0:
            while await _patiently(reader.readuntil(b"\r\n")) != b"\r\n":
                pass  # trailers say nothing that we pass on
            return total
        await _copy(reader, body, size)
        if await _patiently(reader.readexactly(2)) != b"\r\n":
            raise Refused(400)


async def _copy(reader: asyncio.StreamReader, body: IO[bytes], length: int) -> None:
    while length:
        chunk = await _patiently(reader.read(min(length, CHUNK)))
        if not chunk:
            raise Refused(400)
        body.write(chunk)
        length -= len(chunk)


async def _patiently(reading: "asyncio.Future[bytes] | object") -> bytes:
    try:
        return await asyncio.wait_for(reading, PATIENCE_SECONDS)  # type: ignore[arg-type]  # a coroutine of bytes
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as problem:
        raise Refused(400) from problem


class Edge:
    """Routes requests to pools. `pool` is the one that is asked first about a host."""

    def __init__(self, pool: str) -> None:
        self.pool = pool
        self.learned: dict[str, str] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: one request."""
        try:
            with suppress(ConnectionError), SpooledTemporaryFile(IN_MEMORY) as body:
                try:
                    await self._request(reader, writer, body)
                except Refused as refusal:
                    writer.write(_plain(refusal.status))
                await writer.drain()
        finally:
            writer.close()

    async def _request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: IO[bytes]
    ) -> None:
        head = await read_head(reader)
        if head.get("expect").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = await read_body(head, reader, body)
        client = str((writer.get_extra_info("peername") or ("",))[0])
        host = head.get("host").lower()
        sent = head.written(
            lambda name: name not in _NOT_PASSED_ON | _OURS,
            ("X-Forwarded-For", client),
            ("X-Forwarded-Proto", "http"),
            ("Content-Length", str(length)),
            ("Connection", "close"),
        )
        pool = self.learned.get(host, self.pool)
        for _ in range(MOST_POOLS):
            answer, source, sink = await self._ask(pool, sent, body)
            try:
                right = answer.get(POOL_HEADER) if f" {MISDIRECTED} " in answer.line else ""
                if not right:
                    await _pass_on(answer, source, writer)
                    return
                if not _POOL.fullmatch(right):
                    raise Refused(502)
                self._learn(host, right)
                pool = right
            finally:
                sink.close()
        raise Refused(503)  # pools that each say that it is the other's

    def _learn(self, host: str, pool: str) -> None:
        if len(self.learned) >= _REMEMBERED:
            self.learned.clear()
        self.learned[host] = pool

    async def _ask(
        self, pool: str, sent: bytes, body: IO[bytes]
    ) -> tuple[Head, asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = pool.rpartition(":")
        try:
            source, sink = await asyncio.open_connection(host, int(port), limit=HEAD_LIMIT)
        except OSError as problem:
            logger.error("the pool at %s does not answer: %s", pool, problem)
            # It may have been closed since: its organisations are asked for from the beginning.
            self.learned = {known: at for known, at in self.learned.items() if at != pool}
            raise Refused(502) from problem
        sink.write(sent)
        body.seek(0)
        with suppress(ConnectionError):  # it may have answered before the end
            while chunk := body.read(CHUNK):
                sink.write(chunk)
                await sink.drain()
        try:
            return await read_head(source), source, sink
        except (Refused, ConnectionError) as problem:
            sink.close()
            raise Refused(502) from problem


async def _pass_on(answer: Head, source: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Its length or chunks stay as they are: each answer ends with its connection.
    kept = answer.written(
        lambda name: name not in ("connection", "keep-alive", POOL_HEADER.lower()), ("Connection", "close")
    )
    writer.write(kept)
    while chunk := await source.read(CHUNK):
        writer.write(chunk)
        await writer.drain()


def _plain(status: int) -> bytes:
    text = _SAID[status] + "\n"
    head = f"HTTP/1.1 {status} {_SAID[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(text)}\r\nRetry-After: 2\r\nConnection: close\r\n\r\n{text}".encode()


async def run(bind: str, port: int, pool: str) -> None:
    """Serve until asked to stop; requests under way are finished first."""
    edge = Edge(pool)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    under_way: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        under_way.add(task)
        try:
            await edge.serve(reader, writer)
        finally:
            under_way.discard(task)

    server = await asyncio.start_server(serve, bind, port, limit=HEAD_LIMIT)
    await stop.wait()
    server.close()
    if under_way:
        await asyncio.wait(under_way, timeout=PATIENCE_SECONDS)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m config.edge", description="Routes to the pools of releases."
    )
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pool", required=True, metavar="HOST:PORT", help="the pool that is asked first")
    chosen = parser.parse_args()
    if not _POOL.fullmatch(chosen.pool):
        parser.error(f"{chosen.pool} is not host:port")
    asyncio.run(run(chosen.bind, chosen.port, chosen.pool))


if __name__ == "__main__":
    main()
