"""What a file is, from its content. What the sender calls it decides only between kinds of plain text."""

import filetype

HEAD = 8192  # bytes looked at
UNKNOWN = "application/octet-stream"
_ZIPPED = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_PLAIN = {".csv": "text/csv", ".md": "text/markdown", ".json": "application/json", ".log": "text/plain"}
# What a browser may show by itself; all else is only ever downloaded.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})


def kind_of(head: bytes, name: str) -> str:
    """Return the content type. Text that a browser might run, such as HTML or SVG, is plain text."""
    found: str | None = filetype.guess_mime(head)
    ending = "." + name.rpartition(".")[2].lower()
    if found == "application/zip":
        return _ZIPPED.get(ending, found)
    if found is not None:
        return found
    if _is_text(head):
        return _PLAIN.get(ending, "text/plain")
    return UNKNOWN


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as problem:
        # The last character may have been cut in two.
        return len(head) >= HEAD and problem.start >= len(head) - 4
    return True
