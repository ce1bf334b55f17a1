"""What a statement that changes a schema can do: the words in which migrations are judged."""

from dataclasses import dataclass, field
from enum import StrEnum


class Verb(StrEnum):
    """What a statement, or one action of it, does."""

    CREATE_TABLE = "creates a table"
    DROP_TABLE = "drops a table"
    RENAME_TABLE = "renames a table"
    ADD_COLUMN = "adds a column"
    DROP_COLUMN = "drops a column"
    RENAME_COLUMN = "renames a column"
    SET_TYPE = "changes the type of a column"
    SET_NOT_NULL = "makes a column NOT NULL"
    DROP_NOT_NULL = "lets a column be NULL"
    SET_DEFAULT = "sets a default"
    DROP_DEFAULT = "drops a default"
    ADD_CONSTRAINT = "adds a constraint"
    VALIDATE = "validates a constraint"
    DROP_CONSTRAINT = "drops a constraint"
    CREATE_INDEX = "makes an index"
    DROP_INDEX = "drops an index"
    WRITE = "writes rows"
    LOCK = "locks a table"
    REBUILD = "rebuilds a table"
    DROP_CODE = "drops a function, view or type"
    HARMLESS = "is harmless"
    UNREADABLE = "cannot be read"


class Flag(StrEnum):
    """What else is known of a change."""

    NOT_NULL = "not null"
    DEFAULT = "default"
    VOLATILE = "volatile default"
    UNIQUE = "unique"
    CHECK = "check"
    REFERENCES = "references"
    EXCLUDE = "exclude"
    IS_NOT_NULL = "not null constraint"
    NOT_VALID = "not valid"
    USING_INDEX = "using index"
    CONCURRENTLY = "concurrently"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a statement does. `column` may be a constraint or index; `names` all it speaks of."""

    verb: Verb
    table: str = ""
    column: str = ""
    flags: frozenset[Flag] = frozenset()
    names: frozenset[str] = field(default=frozenset(), compare=False)
    text: str = field(default="", compare=False)
