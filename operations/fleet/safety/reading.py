"""Reading SQL that changes a schema: which statement does what to which table.

It knows what migrations send and is deliberately no parser of everything: what it cannot read it says it
cannot read, and an author has to speak for that.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from operations.fleet.safety.changes import Change, Flag, Verb

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/        # comments
    |\$(?P<tag>\w*)\$.*?\$(?P=tag)\$  # dollar-quoted text
    |'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_][\w$]*|\d+(?:\.\d+)?|::|[^\s]""",
    re.VERBOSE | re.DOTALL,
)
# Functions whose value is the same for all rows of a statement: a default of them writes no row.
_STABLE = {"NOW", "STATEMENT_TIMESTAMP", "TRANSACTION_TIMESTAMP", "CURRENT_SETTING", "CURRENT_SCHEMA"}
_STABLE |= {
    "NUMERIC",
    "VARCHAR",
    "CHAR",
    "TIMESTAMP",
    "TIME",
    "INTERVAL",
    "BIT",
    "DECIMAL",
}  # types with a size
_HARMLESS = {"SET", "COMMENT", "GRANT", "REVOKE", "SHOW", "ANALYZE", "RESET"}
_CODE = {"FUNCTION", "VIEW", "TYPE", "DOMAIN", "TRIGGER", "AGGREGATE", "PROCEDURE", "RULE", "SEQUENCE"}
_OPTIONS = {"IF", "NOT", "EXISTS", "ONLY"}
_BRIEF = {"ENABLE", "DISABLE", "OWNER", "REPLICA", "FORCE", "NO", "RESET", "INHERIT"}


def statements_of(text: str) -> Iterator[list[str]]:
    """Yield the tokens of each statement; comments are left out, unquoted words are in capitals."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token.startswith(("--", "/*")):
            continue
        if token == ";":  # noqa: S105  # punctuation
            if found:
                yield found
            found = []
            continue
        found.append(token.upper() if token[0].isalpha() or token[0] == "_" else token)
    if found:
        yield found


def read(text: str) -> list[Change]:
    """Return what a text of one or more statements does, in order."""
    changes: list[Change] = []
    for words in statements_of(text):
        shown = " ".join(words)[:300]
        for change in _read_one(words):
            changes.append(
                Change(change.verb, change.table, change.column, change.flags, change.names, shown)
            )
    return changes


def name_of(token: str) -> str:
    """Return the name that a token stands for."""
    return token[1:-1].replace('""', '"') if token.startswith('"') else token.lower()


def _named(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the name that words begin with, without its schema, and the words after it."""
    left = list(words)
    while left and left[0] in _OPTIONS:
        left.pop(0)
    if not left:
        return "", []
    name = left.pop(0)
    while len(left) > 1 and left[0] == ".":
        name, left = left[1], left[2:]
    return name_of(name), left


def _read_one(words: list[str]) -> list[Change]:
    first, rest = words[0], words[1:]
    reader = _READERS.get(first)
    if reader is not None:
        return reader(rest)
    return [Change(Verb.HARMLESS if first in _HARMLESS else Verb.UNREADABLE)]


def _create(words: list[str]) -> list[Change]:
    left = [word for word in words[:3] if word not in ("OR", "REPLACE", "TEMPORARY", "UNLOGGED")] + words[3:]
    unique = left[:1] == ["UNIQUE"]
    left = left[1:] if unique else left
    if left[:1] == ["TABLE"]:
        return _filled(left) or [Change(Verb.CREATE_TABLE, _named(left[1:])[0])]
    if left[:1] == ["INDEX"] and "ON" in left:
        flags = {Flag.UNIQUE} if unique else set()
        flags |= {Flag.CONCURRENTLY} if "CONCURRENTLY" in left[:2] else set()
        table, after = _named(left[left.index("ON") + 1 :])
        return [Change(Verb.CREATE_INDEX, table, flags=frozenset(flags), names=_names(after))]
    known = _CODE | {"CONSTRAINT", "EXTENSION"}
    return [Change(Verb.HARMLESS if left and left[0] in known else Verb.UNREADABLE)]


def _select(words: list[str]) -> list[Change]:
    return _filled(words) or [Change(Verb.HARMLESS)]


def _filled(words: list[str]) -> list[Change]:
    """Return that words cannot be judged if they make a table of what a query finds, however much that is."""
    outside = [part for part in _outside(words) if part in ("INTO", "AS")]
    makes = "INTO" in outside or (words[:1] == ["TABLE"] and "AS" in outside)
    return [Change(Verb.UNREADABLE)] if makes else []


def _outside(words: list[str]) -> Iterator[str]:
    """Yield the words that stand in no parentheses."""
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth:
            yield word


def _drop(words: list[str]) -> list[Change]:
    kind, left = words[0], words[1:]
    if kind == "TABLE":
        parts = [part for part in _split(left) if part]
        return [Change(Verb.DROP_TABLE, _named(part)[0]) for part in parts]
    if kind == "INDEX":
        flags = frozenset({Flag.CONCURRENTLY}) if left[:1] == ["CONCURRENTLY"] else frozenset()
        left = _without(left, "CONCURRENTLY")
        return [Change(Verb.DROP_INDEX, column=_named(left)[0], flags=flags)]
    if kind == "SEQUENCE":
        return [Change(Verb.HARMLESS)]
    return [Change(Verb.DROP_CODE if kind in _CODE or kind == "MATERIALIZED" else Verb.UNREADABLE)]


def _alter(words: list[str]) -> list[Change]:
    if words[0] in ("INDEX", "SEQUENCE"):
        return [Change(Verb.HARMLESS)]
    if words[0] != "TABLE":
        return [Change(Verb.UNREADABLE)]
    table, left = _named(words[1:])
    return [_action(table, action) for action in _split(left)]


def _action(table: str, words: list[str]) -> Change:
    first, second = words[0], words[1] if len(words) > 1 else ""
    if first == "ADD":
        return _addition(table, words[1:])
    if first == "DROP" and second == "CONSTRAINT":
        return Change(Verb.DROP_CONSTRAINT, table, _named(words[2:])[0])
    if first == "DROP":
        return Change(Verb.DROP_COLUMN, table, _named(_without(words[1:], "COLUMN"))[0])
    if first == "RENAME":
        return _renaming(table, words[1:])
    if first == "VALIDATE":
        return Change(Verb.VALIDATE, table, _named(words[2:])[0])
    if first == "ALTER" and second != "CONSTRAINT":
        return _alteration(table, _without(words[1:], "COLUMN"))
    if first == "SET":
        rebuilds = second in ("LOGGED", "UNLOGGED", "TABLESPACE", "ACCESS")
        return Change(Verb.REBUILD if rebuilds else Verb.HARMLESS, table)
    return Change(Verb.HARMLESS if first in _BRIEF else Verb.UNREADABLE, table)


def _renaming(table: str, words: list[str]) -> Change:
    if words[0] == "TO":
        return Change(Verb.RENAME_TABLE, table)
    if words[0] == "CONSTRAINT":
        return Change(Verb.HARMLESS, table)
    return Change(Verb.RENAME_COLUMN, table, _named(_without(words, "COLUMN"))[0])


def _alteration(table: str, words: list[str]) -> Change:
    column, left = _named(words)
    said = " ".join(left[:3])
    for start, verb in _ALTERATIONS:
        if said.startswith(start):
            return Change(verb, table, column)
    return Change(Verb.UNREADABLE, table, column)


_ALTERATIONS = (
    ("TYPE", Verb.SET_TYPE),
    ("SET DATA TYPE", Verb.SET_TYPE),
    ("SET NOT NULL", Verb.SET_NOT_NULL),
    ("DROP NOT NULL", Verb.DROP_NOT_NULL),
    ("SET DEFAULT", Verb.SET_DEFAULT),
    ("DROP DEFAULT", Verb.DROP_DEFAULT),
    ("SET STATISTICS", Verb.HARMLESS),
    ("SET STORAGE", Verb.HARMLESS),
    ("SET COMPRESSION", Verb.HARMLESS),
)


def _addition(table: str, words: list[str]) -> Change:
    if words[0] == "CONSTRAINT":
        name, left = _named(words[1:])
        return Change(Verb.ADD_CONSTRAINT, table, name, _constraint_flags(left), _names(left))
    if words[0] in ("CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE"):
        return Change(Verb.ADD_CONSTRAINT, table, "", _constraint_flags(words), _names(words))
    column, left = _named(_without(words, "COLUMN"))
    flags = _column_flags(left)
    return Change(Verb.ADD_COLUMN, table, column, frozenset(flags))


def _constraint_flags(words: list[str]) -> frozenset[Flag]:
    kinds = {
        "CHECK": Flag.CHECK,
        "UNIQUE": Flag.UNIQUE,
        "PRIMARY": Flag.UNIQUE,
        "FOREIGN": Flag.REFERENCES,
        "EXCLUDE": Flag.EXCLUDE,
        "NOT": Flag.IS_NOT_NULL,
    }
    found = {kinds[words[0]]} if words and words[0] in kinds else set()
    text = " ".join(words)
    if text.endswith("NOT VALID"):
        found.add(Flag.NOT_VALID)
    if "USING INDEX" in text and "TABLESPACE" not in text:
        found.add(Flag.USING_INDEX)
    return frozenset(found)


def _column_flags(words: list[str]) -> set[Flag]:
    text = f" {' '.join(words)} "
    found = set()
    if " NOT NULL " in text:
        found.add(Flag.NOT_NULL)
    if " DEFAULT " in text:
        found.add(Flag.DEFAULT)
        after = words[words.index("DEFAULT") + 1 :]
        if _is_volatile(after):
            found.add(Flag.VOLATILE)
    if " GENERATED " in text:
        found.add(Flag.DEFAULT)
        if " VIRTUAL " not in text:
            found.add(Flag.VOLATILE)  # stored and identity: every row is written
    for word, flag in (("UNIQUE", Flag.UNIQUE), ("CHECK", Flag.CHECK), ("REFERENCES", Flag.REFERENCES)):
        if word in words:
            found.add(flag)
    return found | ({Flag.UNIQUE, Flag.NOT_NULL} if " PRIMARY KEY " in text else set())


def _is_volatile(words: list[str]) -> bool:
    """Return whether a default may differ from row to row: any function that is not known to be stable."""
    for name, after in pairwise(words):
        if name in ("CHECK", "REFERENCES", "CONSTRAINT"):
            return False
        is_call = after == "(" and (name[0].isalpha() or name[0] in '"_')
        if is_call and name not in _STABLE:
            return True
    return False


def _write(words: list[str]) -> list[Change]:
    left = [word for word in words if word not in ("INTO", "FROM", "ONLY")]
    return [Change(Verb.WRITE, _named(left)[0])]


def _insert(words: list[str]) -> list[Change]:
    # Rows written out are few; rows selected are as many as there are.
    table = _named(_without(words, "INTO"))[0]
    return [Change(Verb.WRITE if "SELECT" in words else Verb.HARMLESS, table)]


def _lock(words: list[str]) -> list[Change]:
    return [Change(Verb.LOCK, _named(_without(words, "TABLE"))[0])]


def _rebuild(words: list[str]) -> list[Change]:
    return [Change(Verb.HARMLESS if "CONCURRENTLY" in words else Verb.REBUILD)]


def _vacuum(words: list[str]) -> list[Change]:
    return [Change(Verb.REBUILD if "FULL" in words else Verb.HARMLESS)]


_READERS = {
    "CREATE": _create,
    "SELECT": _select,
    "DROP": _drop,
    "ALTER": _alter,
    "UPDATE": _write,
    "DELETE": _write,
    "INSERT": _insert,
    "TRUNCATE": lambda words: [Change(Verb.WRITE, _named(_without(words, "TABLE"))[0])],
    "LOCK": _lock,
    "CLUSTER": _rebuild,
    "REINDEX": _rebuild,
    "REFRESH": _rebuild,
    "VACUUM": _vacuum,
}


def _without(words: list[str], first: str) -> list[str]:
    return words[1:] if words[:1] == [first] else words


def _names(words: Sequence[str]) -> frozenset[str]:
    ours = words[: words.index("REFERENCES")] if "REFERENCES" in words else words
    return frozenset(name_of(word) for word in ours if word[0].isalpha() or word[0] in '"_')


def _split(words: list[str]) -> list[list[str]]:
    """Split words at the commas that stand in no parentheses."""
    parts: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and not depth:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]
