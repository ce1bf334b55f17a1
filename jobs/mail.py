"""Mail as a job: written down with what caused it, sent after the commit, tried again for hours."""

import re
import smtplib
from collections.abc import Mapping
from email.utils import formataddr, parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

from jobs.actions import Run, enqueue
from jobs.models import ClockTime, MailState, OutgoingMail
from jobs.refusals import BadAddress, TryLater
from jobs.registry import kind
from tenants.refusals import Refusal

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_DELAYS = (5, 30, 120, 600, 1800, 7200)


class NotDelivered(Refusal):
    """The mail server refused the mail for good."""

    code = "mail-not-delivered"
    message = "The mail server refused this address."


def send_mail(
    *, to: str, subject: str, text: str, html: str | None = None, by: AbstractBaseUser | None = None
) -> OutgoingMail:
    """Write down a mail inside the organisation entered; it is sent after the commit.

    `by` is the person whose doing it is. Raises BadAddress.
    """
    mail = OutgoingMail.objects.create(
        to=checked_address(to), subject=one_line(subject), text=text, html=html or ""
    )
    mail.refresh_from_db(fields=["id"])
    job = enqueue("mail.send", payload={"mail": str(mail.pk)}, label="Send a mail", by=by)
    OutgoingMail.objects.filter(pk=mail.pk).update(job=job)
    mail.job = job
    return mail


def send_now(
    *,
    to: str,
    subject: str,
    text: str,
    html: str | None = None,
    from_name: str = "",
    message_id: str = "",
) -> None:
    """Speak to the mail server and return when it has taken the mail. Never inside a transaction.

    `from_name` is shown as the sender; `message_id` lets receivers drop a mail that came twice. Raises
    BadAddress, NotDelivered when the server refuses for good, and TryLater when it may take it later.
    """
    message = EmailMultiAlternatives(
        subject=one_line(subject),
        body=text,
        from_email=_sender(from_name),
        to=[checked_address(to)],
        headers={"Message-ID": message_id} if message_id else {},
    )
    if html:
        message.attach_alternative(html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        if codes and all(code >= 500 for code in codes):
            raise NotDelivered from refused
        raise TryLater("The mail server does not take mail for this address at the moment.") from refused
    except smtplib.SMTPResponseException as answer:
        if answer.smtp_code >= 500:
            raise NotDelivered("The mail server refused this mail.") from answer
        raise TryLater("The mail server does not take mail at the moment.") from answer
    except (smtplib.SMTPException, OSError) as problem:
        raise TryLater("The mail server does not answer.") from problem


@kind("mail.send", queue="mail", label="Send a mail", max_running=2, delays=_DELAYS, max_attempts=8)
def deliver(run: Run) -> Mapping[str, Any]:
    """Send one mail: read, commit, send, and write down that it was sent."""
    pk = UUID(run.payload["mail"])
    with run.chunk():
        mail = OutgoingMail.objects.filter(pk=pk).exclude(state=MailState.SENT).first()
    if mail is None:
        return {"sent": False}
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    try:
        send_now(
            to=mail.to,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            from_name=run.tenant.name,
            message_id=f"<{mail.pk}@{domain}>",
        )
    except Refusal:
        with run.chunk(closing=True):
            OutgoingMail.objects.filter(pk=pk).update(state=MailState.FAILED, text="", html="")
        raise
    # Cancelled or not: it is out.
    with run.chunk(closing=True):
        OutgoingMail.objects.filter(pk=pk).update(state=MailState.SENT, sent_at=ClockTime(), text="", html="")
    return {"sent": True}


def checked_address(address: str) -> str:
    """Return one plain address; raise BadAddress for anything else, such as two, or one with a line break."""
    address = address.strip(" ")
    try:
        validate_email(address)
    except ValidationError as problem:
        raise BadAddress from problem
    return address


def one_line(text: str) -> str:
    """Return text as one line of at most 200 characters, so that it cannot begin another header."""
    return _CONTROL.sub(" ", text).strip()[:200]


def _sender(name: str) -> str:
    own_name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((one_line(name) or own_name, address))
