"""The smallest web application: it says how many bytes it was sent."""

from collections.abc import Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Read the whole request and answer."""
    told = str(len(environ["wsgi.input"].read())).encode()
    start_response("200 OK", [("Content-Length", str(len(told))), ("Content-Type", "text/plain")])
    return [told]
