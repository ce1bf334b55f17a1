"""nginx in front of the pools, with the very text of docs/releases.md: what it says is what runs here."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from uuid import uuid4

import pytest

from config.embedded.ports import free_port
from tests.servers import FOLDER, ROOT
from tests.workers import wait_for

_PAGE = ROOT / "docs" / "releases.md"
# What the page leaves to its readers, and what stands for their addresses there.
_OPEN = "# listen, server_name, certificates"
_FIRST, _SECOND = "127.0.0.1:8001", "127.0.0.1:8002"
# Where nginx writes, which is the system's own folders otherwise.
_AROUND = """\
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{text}}}
"""


def executable() -> str:
    """Return where nginx is. Where it is missing the test fails: nobody else tries what the page says."""
    # Debian has it in a folder that is not on everybody's PATH.
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.fail("nginx is not installed; install your system's package nginx (see README.md).")
    return found


def text(*, port: int, first: int, second: int) -> str:
    """Return the configuration of the page, with these ports in the place of its own."""
    found = re.findall(r"```nginx\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    assert len(found) == 1, "docs/releases.md has one configuration of nginx"
    said: str = found[0]
    changed = ((_OPEN, f"listen 127.0.0.1:{port};"), (_FIRST, _at(first)), (_SECOND, _at(second)))
    for old, new in changed:
        assert said.count(old) == 1, old
        said = said.replace(old, new)
    return said


@contextmanager
def running(*, first: int, second: int) -> Iterator[int]:
    """Run nginx for a block, with two pools by their ports; return its own."""
    folder, port = FOLDER / f"nginx-{uuid4().hex[:8]}", free_port()
    folder.mkdir(mode=0o711)  # its processes run as another user where the tests are root's
    configuration, log = folder / "nginx.conf", folder / "log"
    configuration.write_text(_AROUND.format(folder=folder, text=text(port=port, first=first, second=second)))
    with log.open("wb") as output:
        server = subprocess.Popen(
            [executable(), "-p", str(folder), "-e", "stderr", "-c", str(configuration)],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(lambda: _listens(port) or server.poll() is not None, seconds=20)
        assert server.poll() is None, log.read_text()
        yield port
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _at(port: int) -> str:
    return f"127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
