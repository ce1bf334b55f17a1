"""A catcher for mail while developing: a real SMTP server that delivers into files instead of to people.

Run as `python -m config.embedded.mail --port PORT --folder FOLDER`. Each message becomes one file named
after the time of its arrival (UTC), so that names sort by age, with the envelope in two added headers.
"""

import argparse
import asyncio
import secrets
import signal
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from config.embedded.ports import LOOPBACK

LARGEST_BYTES = 25_000_000
KEPT_MESSAGES = 1000


class FolderHandler:
    """Writes what arrives into a folder, whole or not at all, and keeps the newest messages only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # The name and the parameters are aiosmtpd's.
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store one message and say so to the sender."""
        content = envelope.content or b""
        body = content if isinstance(content, bytes) else content.encode()
        recipients = ", ".join(_header_safe(address) for address in envelope.rcpt_tos)
        head = f"X-Envelope-From: {_header_safe(envelope.mail_from or '')}\r\nX-Envelope-To: {recipients}\r\n"
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
        part = self.folder / f".{name}"
        part.write_bytes(head.encode() + body)
        part.rename(self.folder / name)
        self._forget_old()
        return "250 Message kept"

    def _forget_old(self) -> None:
        for path in sorted(self.folder.glob("*.eml"))[:-KEPT_MESSAGES]:
            path.unlink(missing_ok=True)


def _header_safe(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


async def serve(folder: Path, port: int) -> None:
    """Receive mail until the process is asked to end."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, ended.set)
    handler = FolderHandler(folder)
    server = await loop.create_server(
        lambda: SMTP(handler, data_size_limit=LARGEST_BYTES, enable_SMTPUTF8=True, hostname="localhost"),
        host=LOOPBACK,
        port=port,
    )
    async with server:
        await ended.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded.mail", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.folder, chosen.port))


if __name__ == "__main__":
    main()
