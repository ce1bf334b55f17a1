"""The smallest web application: it says how many bytes it was sent."""

from collections.abc import Iterable
from typing import Any

from config.bodies import whole


def told(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Read the whole request and answer."""
    size, pieces = 0, iter(lambda: environ["wsgi.input"].read(65_536), b"")
    for piece in pieces:
        size += len(piece)
    answer = str(size).encode()
    start_response("200 OK", [("Content-Length", str(len(answer))), ("Content-Type", "text/plain")])
    return [answer]


application = whole(told)
