"""The list of choices in the form of a field: as it was sent, moved, shortened and lengthened."""

from collections.abc import Iterable, Sequence

from django.http import QueryDict

from records.values import Choice

_CODE_LENGTH = 100


def read(data: QueryDict) -> list[Choice]:
    """Return the rows of choices that were sent, in the order they stood in."""
    pairs = zip(data.getlist("code"), data.getlist("label"), strict=False)
    return [Choice(code, " ".join(label.split())) for code, label in pairs]


def rearranged(rows: Sequence[Choice], what: str) -> list[Choice]:
    """Return the rows after "up:2", "down:2" or "remove:2"; unchanged after anything else."""
    verb, _, place = what.partition(":")
    found = list(rows)
    if not place.isdecimal() or int(place) >= len(found):
        return found
    at = int(place)
    row = found.pop(at)
    if verb == "remove":
        return found
    to = {"up": max(at - 1, 0), "down": at + 1}.get(verb, at)
    found.insert(to, row)
    return found


def lengthened(rows: Sequence[Choice], text: str) -> list[Choice]:
    """Return the rows with a choice for each line of `text`; what is there already is not added again."""
    found = list(rows)
    labels = {row.label.casefold() for row in found}
    for label in lines(text):
        if label.casefold() not in labels:
            labels.add(label.casefold())
            found.append(Choice(_free_code(label, {row.code for row in found}), label))
    return found


def lines(text: str) -> Iterable[str]:
    """Return the lines of a text that say something."""
    return (line for line in (" ".join(line.split()) for line in text.splitlines()) if line)


def repeated(rows: Sequence[Choice]) -> str:
    """Return a label that two rows share, or ""."""
    seen: set[str] = set()
    for row in rows:
        if row.label.casefold() in seen:
            return row.label
        seen.add(row.label.casefold())
    return ""


def _free_code(label: str, taken: set[str]) -> str:
    # The code stays what the choice was first called: it is what programs and exports see.
    base = label[:_CODE_LENGTH].strip()
    code, number = base, 1
    while code in taken:
        number += 1
        code = f"{base[: _CODE_LENGTH - 5]} {number}"
    return code
