"""What the catcher for mail has caught, read for the page that shows it while developing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

# As the catcher names its files: the time of arrival, to the microsecond, and eight digits of chance.
_NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """One mail: when it arrived, for whom, from whom, and what it says."""

    name: str
    at: datetime
    to: str
    sender: str
    subject: str
    text: str


def newest(folder: Path, *, asked: str = "") -> list[CaughtMail]:
    """Return the mails of a folder, the newest first; with `asked`, those whose head has it."""
    wanted = asked.strip().casefold()
    found: list[CaughtMail] = []
    for mail in _mails(folder):
        if wanted in f"{mail.to} {mail.subject} {mail.sender}".casefold():
            found.append(mail)
        if len(found) == MOST_LISTED:
            break
    return found


def read(folder: Path, name: str) -> CaughtMail | None:
    """Return one mail by the name of its file, or None if there is none (any more)."""
    if not _NAME.fullmatch(name):
        return None
    try:
        content = (folder / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        return None
    message: EmailMessage = message_from_bytes(content, policy=policy.default)
    return CaughtMail(
        name=name,
        at=datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC),
        to=str(message["X-Envelope-To"] or message["To"] or ""),
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        text=_text_of(message),
    )


def _mails(folder: Path) -> Iterator[CaughtMail]:
    for path in sorted(folder.glob("*.eml"), reverse=True):
        # The catcher forgets old ones meanwhile.
        mail = read(folder, path.stem)
        if mail is not None:
            yield mail


def _text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    return str(body.get_content()) if body is not None else ""
