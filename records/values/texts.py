"""Texts, addresses and ids: cleaned so that equal things are written equally."""

import re
import unicodedata
from urllib.parse import urlsplit
from uuid import UUID

from records.values.wrong import Wrong

TEXT_LENGTH, LONG_TEXT_LENGTH = 1_000, 100_000  # characters
EMAIL_LENGTH, LINK_LENGTH = 254, 2_000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)
_SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f<>\"\\^`{|}]")


def text(value: object, *, limit: int, lines: bool) -> str:
    """Return the text in NFC, trimmed, with `\\n` as line end. Empty means empty. Raises Wrong."""
    if not isinstance(value, str):
        raise Wrong("Use text.")
    if len(value) > 4 * limit:
        raise Wrong(f"Use at most {limit:,} characters.")
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    cleaned = unicodedata.normalize("NFC", value).strip()
    if _CONTROL.search(cleaned):
        raise Wrong("Remove the characters that cannot be shown, such as control characters.")
    if not lines and "\n" in cleaned:
        raise Wrong("Write this on one line.")
    if len(cleaned) > limit:
        raise Wrong(f"Use at most {limit:,} characters.")
    return cleaned


def email(value: object) -> str:
    """Return the address with its domain in lower case. Raises Wrong."""
    cleaned = value.strip() if isinstance(value, str) else ""
    local, _, domain = cleaned.rpartition("@")
    if len(cleaned) > EMAIL_LENGTH or len(local) > 64 or not _EMAIL.fullmatch(cleaned):
        raise Wrong("Use an address such as ada@example.org.")
    return f"{local}@{domain.lower()}"


def link(value: object) -> str:
    """Return a web address as written. Only http and https, no name or password inside. Raises Wrong."""
    cleaned = value.strip() if isinstance(value, str) else ""
    if len(cleaned) > LINK_LENGTH:
        raise Wrong(f"Use at most {LINK_LENGTH:,} characters.")
    try:
        parts = urlsplit(cleaned)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or _SPACE_OR_CONTROL.search(cleaned):
        raise Wrong("Use a web address such as https://example.org.")
    if "@" in parts.netloc:
        raise Wrong("Remove the name and password from the address.")
    if _CONTROL.search(cleaned):
        raise Wrong("Remove the characters that cannot be shown, such as control characters.")
    return unicodedata.normalize("NFC", cleaned)


def identifier(value: object) -> str:
    """Return the id of a person, a record or a file in its usual spelling. Raises Wrong."""
    if isinstance(value, UUID):
        return str(value)
    try:
        return str(UUID(value if isinstance(value, str) and len(value) <= 40 else ""))
    except ValueError:
        raise Wrong("Choose one from the list.") from None
