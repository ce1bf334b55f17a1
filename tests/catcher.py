"""A real mail server for tests: what was sent lies in a list."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test.utils import override_settings

from config.embedded.ports import free_port


class Caught(list[EmailMessage]):
    """The messages that arrived, oldest first."""

    # The name and the parameters are aiosmtpd's.
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one message."""
        content = cast(bytes, envelope.content)
        self.append(message_from_bytes(content, policy=policy.default))
        return "250 Kept"


@contextmanager
def catching() -> Iterator[Caught]:
    """Catch the mails of this process while the block runs."""
    caught = Caught()
    controller: Any = Controller(caught, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        smtp = "django.core.mail.backends.smtp.EmailBackend"
        with override_settings(EMAIL_BACKEND=smtp, EMAIL_HOST="127.0.0.1", EMAIL_PORT=controller.port):
            yield caught
    finally:
        controller.stop()


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a message."""
    body = message.get_body(("plain",))
    if body is None:
        raise AssertionError("the message has no plain text")
    return str(body.get_content())
