"""Full-text search: from what a person types to a question of PostgreSQL."""

import re
from collections.abc import Collection

from django.db.models import F, Q

from records.tables import expressions as sql

LONGEST = 200  # characters
_WORDY = re.compile(r"\w")


def question(typed: str) -> list[tuple[str, str]]:
    """Return the words looked for, each as a beginning, for the parser and as it stands.

    Empty where nothing can be looked for.
    """
    chunks = [chunk for chunk in typed.replace("\x00", " ")[:LONGEST].split() if _WORDY.search(chunk)]
    return [(_quoted(chunk), _quoted(chunk.lower())) for chunk in chunks]


def _quoted(chunk: str) -> str:
    safe = chunk.replace("\\", "\\\\").replace("'", "''")
    return f"'{safe}':*"


def matches(typed: str, *, hidden: Collection[str] = (), column: str = "values") -> Q | None:
    """Return the condition for rows in which all words of `typed` stand; None where there is no word.

    Fields in `hidden` do not count, so that nobody learns by searching what they may not see.
    """
    asked = question(typed)
    if not asked:
        return None
    words = sql.Words(*(sql.Word(sql.plain_text(read), sql.plain_text(whole)) for read, whole in asked))
    found = Q(sql.Compare(sql.Lexemes(F(column)), "@@", words))
    if not hidden:
        return found
    # The index finds, and this decides.
    shown = sql.Without(F(column), sql.plain_text("{" + ",".join(sorted(hidden)) + "}"))
    return found & Q(sql.Compare(sql.Lexemes(shown), "@@", words))
