"""Who may see the trail. This room is below the rooms that know: they answer through a registry."""

from collections.abc import Callable
from typing import Any

Answer = Callable[[Any], bool]
_answers: list[Answer] = []


def decide_by(answer: Answer) -> None:
    """Let `answer(user)` decide who may see the whole trail. The last one registered counts."""
    _answers.append(answer)


def may_see_trail(user: Any) -> bool:
    """Return whether a person may see the whole trail. Nobody may until somebody decides."""
    return bool(_answers) and bool(getattr(user, "is_authenticated", False)) and _answers[-1](user)
