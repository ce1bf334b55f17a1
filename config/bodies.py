"""Bodies of requests that end before they should, as when a connection breaks in the middle of an upload.

The server gives what has come and says no word, and half a table looks like a whole one.
"""

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class WholeBody:
    """A body of a known length. Raises ConnectionResetError where it ends early."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, *size: int) -> bytes:
        """Return what is asked for, or what there is of it; b"" only at the very end."""
        return self._counted(self._stream.read(*size), *size)

    def readline(self, *size: int) -> bytes:
        """Return the next line, as files do."""
        return self._counted(self._stream.readline(*size), *size)

    def _counted(self, found: bytes, *size: int) -> bytes:
        self._left -= len(found)
        if not found and self._left > 0 and size != (0,):
            raise ConnectionResetError("The body ended before the length that it was said to have.")
        return found


def whole(application: Application) -> Application:
    """Let an application hear when a body is not whole."""

    def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        declared = environ.get("CONTENT_LENGTH") or ""
        if declared.isdecimal():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(declared))
        return application(environ, start_response)

    return run
