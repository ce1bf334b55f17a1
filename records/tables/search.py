"""Full-text search: from what a person types to a question of PostgreSQL."""

import re
from collections.abc import Collection

from django.db.models import F, Q, TextField, Value

from records.tables import expressions as sql

LONGEST = 200  # characters
_WORDY = re.compile(r"\w")


def question(typed: str) -> str:
    """Return a text for to_tsquery which finds records with all the words, each as a beginning.

    "" where nothing can be looked for.
    """
    chunks = [chunk for chunk in typed.replace("\x00", " ")[:LONGEST].split() if _WORDY.search(chunk)]
    quoted = [chunk.replace("\\", "\\\\").replace("'", "''") for chunk in chunks]
    return " & ".join(f"'{chunk}':*" for chunk in quoted)


def matches(typed: str, *, hidden: Collection[str] = (), column: str = "values") -> Q | None:
    """Return the condition for rows in which all words of `typed` stand; None where there is no word.

    Fields in `hidden` do not count, so that nobody learns by searching what they may not see.
    """
    asked = question(typed)
    if not asked:
        return None
    words = sql.Words(Value(asked, output_field=TextField()))
    found = Q(sql.Compare(sql.Lexemes(F(column)), "@@", words))
    return found if not hidden else found & Q(seen_only(asked, hidden=hidden, column=column))


def seen_only(asked: str, *, hidden: Collection[str], column: str) -> sql.Compare:
    """Return the same condition without the hidden fields. The index finds, this one decides."""
    shown = sql.Without(F(column), Value("{" + ",".join(sorted(hidden)) + "}", output_field=TextField()))
    return sql.Compare(sql.Lexemes(shown), "@@", sql.Words(Value(asked, output_field=TextField())))
