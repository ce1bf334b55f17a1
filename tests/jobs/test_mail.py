"""Mail: sent once, after the commit, to one address, without a second header."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test.utils import override_settings

from audit.models import Event
from config.embedded.ports import free_port
from jobs.mail import one_line, send_mail, send_now
from jobs.models import Job, OutgoingMail
from jobs.refusals import BadAddress, TryLater
from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tests.catcher import catching, text_of
from tests.jobs.lasting import ACTOR

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


class Refusing:
    """A mail server which answers every address with `answer`."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    # The name and the parameters are aiosmtpd's.
    async def handle_RCPT(self, *args: Any) -> str:
        """Refuse an address."""
        return self.answer


@contextmanager
def refusing(answer: str) -> Iterator[None]:
    """Let a server refuse every mail while the block runs."""
    controller: Any = Controller(Refusing(answer), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with override_settings(
            EMAIL_BACKEND=SMTP_BACKEND, EMAIL_HOST="127.0.0.1", EMAIL_PORT=controller.port
        ):
            yield
    finally:
        controller.stop()


def write(
    organisation: Organisation, *, to: str = "ben@pulse.example", subject: str = "Hello"
) -> OutgoingMail:
    """Write a mail down."""
    with enter(organisation, actor=ACTOR):
        return send_mail(to=to, subject=subject, text="A secret link", html="<p>A secret link</p>")


def stored(organisation: Organisation) -> OutgoingMail:
    """Return the one mail written."""
    with enter(organisation, actor=ACTOR):
        return OutgoingMail.objects.select_related("job").get()


class TestAMail:
    def test_is_sent_once_and_its_text_forgotten(self, pulse: Organisation) -> None:
        write(pulse)
        with catching() as caught:
            run_due(pulse)
            run_due(pulse)
        (message,) = caught
        assert (message["To"], message["Subject"]) == ("ben@pulse.example", "Hello")
        assert message["From"] == "Pulse Nights <no-reply@enclave.localhost>"
        assert text_of(message).strip() == "A secret link"
        mail = stored(pulse)
        assert (mail.state, mail.text, mail.html) == ("sent", "", "")

    def test_keeps_its_text_out_of_the_trail(self, pulse: Organisation) -> None:
        mail = write(pulse)
        with enter(pulse, actor=ACTOR):
            payloads = [
                str(payload) for payload in Event.objects.filter(object_id=mail.pk).values_list("payload")
            ]
        assert payloads
        assert not any("secret" in payload for payload in payloads)

    def test_has_a_message_id_that_stays_the_same(self, pulse: Organisation) -> None:
        mail = write(pulse)
        with catching() as caught:
            run_due(pulse)
        assert caught[0]["Message-ID"] == f"<{mail.pk}@enclave.localhost>"

    def test_is_tried_again_while_no_server_answers(self, pulse: Organisation) -> None:
        write(pulse)
        with override_settings(EMAIL_BACKEND=SMTP_BACKEND, EMAIL_PORT=1):
            run_due(pulse)
        job = stored(pulse).job
        assert job is not None
        assert (job.state, job.attempts, job.error) == ("queued", 1, "The mail server does not answer.")

    def test_is_tried_again_after_a_passing_refusal(self, pulse: Organisation) -> None:
        write(pulse)
        with refusing("451 Later"):
            run_due(pulse)
        assert stored(pulse).state == "waiting"

    def test_is_given_up_after_a_lasting_refusal(self, pulse: Organisation) -> None:
        write(pulse)
        with refusing("550 Nobody here"):
            run_due(pulse)
        mail = stored(pulse)
        assert (mail.state, mail.text) == ("failed", "")
        assert mail.job is not None
        assert mail.job.state == "failed"

    def test_rolled_back_is_never_sent(self, pulse: Organisation) -> None:
        with pytest.raises(ZeroDivisionError), enter(pulse, actor=ACTOR):
            send_mail(to="ben@pulse.example", subject="x", text="x")
            raise ZeroDivisionError
        with enter(pulse, actor=ACTOR):
            assert not OutgoingMail.objects.exists()
            assert not Job.objects.exists()


class TestHeaders:
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "nobody",
            "a@b.example\nBcc: c@d.example",
            "a@b.example, c@d.example",
            "A <a@b.example>",
            "a@b.example\r",
        ],
    )
    def test_take_one_plain_address(self, pulse: Organisation, address: str) -> None:
        with pytest.raises(BadAddress):
            write(pulse, to=address)

    def test_stay_one_line_whatever_the_subject(self, pulse: Organisation) -> None:
        write(pulse, subject="Hello\r\nBcc: eve@evil.example\n\nBody")
        with catching() as caught:
            run_due(pulse)
        (message,) = caught
        assert message["Subject"] == "Hello Bcc: eve@evil.example Body"
        assert message["Bcc"] is None

    def test_stay_one_line_whatever_the_sender(self) -> None:
        with catching() as caught:
            send_now(to="a@b.example", subject="x", text="x", from_name='Eve"\r\nBcc: eve@evil.example')
        assert caught[0]["Bcc"] is None
        assert caught[0]["From"].addresses[0].addr_spec == "no-reply@enclave.localhost"

    @pytest.mark.parametrize("breaker", ["\r", "\n", "\x00", "\u2028", "\x85", "\x0b"])
    def test_know_every_line_break(self, breaker: str) -> None:
        assert one_line(f"a{breaker}b") == "a b"


def test_a_mail_outside_of_organisations_says_when_nobody_answers() -> None:
    with override_settings(EMAIL_BACKEND=SMTP_BACKEND, EMAIL_PORT=1), pytest.raises(TryLater):
        send_now(to="a@b.example", subject="x", text="x")
