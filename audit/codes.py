"""The closed vocabulary of intent: codes such as `member.joined`, declared by the rooms.

Row events have codes of three parts (`records.record.added`), which the triggers write; nobody
declares those. The same codes are what webhooks and notifications speak.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

_FORM = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
VERBS = {"added": "added", "changed": "changed", "removed": "removed"}


class UnknownCode(LookupError):
    """Code recorded or asked for a code that no room has declared."""


@dataclass(frozen=True, slots=True)
class Code:
    """One declared code. `sentence` may use {actor}, {target} and any key of the details.

    Of a number, `{count:record|records}` says the thing that is counted too.
    """

    name: str
    sentence: str
    label: str
    about: str


_codes: dict[str, Code] = {}


def declare(name: str, *, sentence: str, label: str = "", about: type[Model] | None = None) -> Code:
    """Add a code to the vocabulary and return it.

    `label` is what the filter of the trail page shows, `about` the model it is mostly about.
    Raises ImproperlyConfigured for a malformed code, or one declared before with another sentence.
    """
    if not _FORM.fullmatch(name):
        raise ImproperlyConfigured(f"{name!r} is not a code: write noun.verb in lower case.")
    words = label or name.replace(".", " ").replace("_", " ")
    code = Code(name, sentence, words, about._meta.label_lower if about else "")
    known = _codes.setdefault(name, code)
    if known != code:
        raise ImproperlyConfigured(f"{name!r} is declared twice with different words.")
    return code


def code(name: str) -> Code:
    """Return a declared code; raise UnknownCode for any other."""
    try:
        return _codes[name]
    except KeyError:
        raise UnknownCode(f"{name!r} is not declared: see audit.codes.declare.") from None


def known(name: str) -> bool:
    """Return whether a code is declared."""
    return name in _codes


def declared() -> list[Code]:
    """Return every code, by name."""
    return sorted(_codes.values(), key=lambda one: one.name)


_presenters: dict[str, Callable[..., str]] = {}


def presenter(name: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Decorate a function of an entry that writes the sentence of a code, where a template does not do."""

    def keep(function: Callable[..., str]) -> Callable[..., str]:
        _presenters[code(name).name] = function
        return function

    return keep


def presenter_of(name: str) -> Callable[..., str] | None:
    """Return the function that writes the sentence of a code, if one is registered."""
    return _presenters.get(name)
