"""What the models say of a change and SQL does not: types that grow, choices that go, checks that widen."""

import re
from typing import Any

from django.db.models import CheckConstraint, Q

from operations.fleet.safety.collecting import editor_for

_SIZED = re.compile(r"(varchar|numeric)(?:\((\d+)(?:,\s*(\d+))?\))?")
_WHOLE = ("smallint", "integer", "bigint")


def type_step(old: Any, new: Any) -> bool | None:
    """Return how a column's type grows: True without a row being written, False with; None if it does not.

    What grows can still be read and written by the code of the release before.
    """
    editor, context = editor_for(new.model._meta.app_label)
    with context:
        before, after = (one.db_parameters(editor.connection)["type"] or "" for one in (old, new))
        if old.db_parameters(editor.connection).get("collation") != new.db_parameters(editor.connection).get(
            "collation"
        ):
            return None
    return step_between(before, after)


def step_between(before: str, after: str) -> bool | None:
    """Do the same for the names of two types."""
    if before == after:
        return True
    if before in _WHOLE and after in _WHOLE:
        return False if _WHOLE.index(after) > _WHOLE.index(before) else None
    was, now = _SIZED.fullmatch(before), _SIZED.fullmatch(after)
    if was and was[1] == "varchar" and after in ("text", "varchar"):
        return True
    if before == "text" and after == "varchar":
        return True
    if not was or not now or was[1] != now[1] or was[2] is None:
        return None
    if now[2] is None:
        return True
    grows = int(now[2]) >= int(was[2]) and was[3] == now[3]
    return True if grows else None


def has_fewer_choices(old: Any, new: Any) -> str:
    """Return the choices that a field no longer has, as text; "" if it has them all."""
    if not old.choices or not new.choices:
        return ""
    gone = [value for value, _ in old.flatchoices if value not in {one for one, _ in new.flatchoices}]
    return ", ".join(map(repr, gone))


def is_never_null(constraint: CheckConstraint) -> str:
    """Return the field that a check says is never NULL; "" if it says something else."""
    condition = constraint.condition
    if not isinstance(condition, Q) or len(condition.children) != 1 or condition.negated:
        return ""
    child = condition.children[0]
    if not isinstance(child, tuple) or child[1] is not False or not child[0].endswith("__isnull"):
        return ""
    return str(child[0].removesuffix("__isnull"))


def is_loosened(old: CheckConstraint, new: CheckConstraint) -> bool:
    """Return whether a check for one of a list of values is replaced by one with more of them."""
    was, now = _listed(old), _listed(new)
    return was is not None and now is not None and was[0] == now[0] and was[1] <= now[1]


def _listed(constraint: CheckConstraint) -> tuple[str, frozenset[Any]] | None:
    condition = constraint.condition
    if not isinstance(condition, Q) or len(condition.children) != 1 or condition.negated:
        return None
    child = condition.children[0]
    if not isinstance(child, tuple) or not str(child[0]).endswith("__in"):
        return None
    return str(child[0]), frozenset(child[1])
