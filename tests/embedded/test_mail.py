"""The catcher for mail takes what any mail client sends, and keeps it whole."""

import smtplib
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from config.embedded.ports import free_port, is_free
from config.embedded.processes import Child, wait_until


@pytest.fixture
def catcher(folder: Path) -> Iterator[int]:
    """The port of a running catcher that writes into `folder`/mail."""
    import config.embedded

    port = free_port()
    child = Child(log=folder / "log", record=folder / "record")
    child.launch(
        [sys.executable, "-m", "config.embedded.mail", "--port", str(port), "--folder", str(folder / "mail")],
        environment={},
        cwd=Path(config.embedded.__file__).parent.parent.parent,
    )
    assert wait_until(lambda: not is_free(port), 10), child.tail()
    yield port
    child.ask_to_stop()
    child.wait_or_kill(3)


class TestCatching:
    def test_a_message_becomes_a_file_with_its_envelope(self, folder: Path, catcher: int) -> None:
        message = EmailMessage()
        message["Subject"] = "Grüße"
        message["From"] = "ada@pulse.example"
        message["To"] = "ben@pulse.example"
        message.set_content("Wie wär's?\n")
        with smtplib.SMTP("127.0.0.1", catcher) as sender:
            sender.send_message(message, to_addrs=["hidden@pulse.example"])

        (path,) = (folder / "mail").iterdir()
        caught = message_from_bytes(path.read_bytes(), policy=policy.default)

        assert caught["Subject"] == "Grüße"
        assert caught["X-Envelope-To"] == "hidden@pulse.example"
        assert caught.get_content().strip() == "Wie wär's?"
