"""Questions that only an organisation can answer, asked before a migration that needs the answer.

A team registers one when its app is ready:

    questions.register(
        Question(
            key="gear.currency",
            title="Which currency are your prices in?",
            text="Prices will be kept with a currency from the next release on.",
            field=lambda: forms.ChoiceField(label="Currency", choices=[("EUR", "Euro"), ("GBP", "Pound")]),
            default="EUR",
            deadline=datetime(2027, 1, 31, tzinfo=UTC),
        )
    )

Who may change the settings answers it on a page of its own. At the deadline the default is taken, by the
sweep. `all_answered(key)` is what the contract step asks; see docs/releases.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from tenants.models import Organisation, QuestionProgress, QuestionState

_KEY = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `field` makes the form's field, whose cleaned value is kept as text.

    `default` is kept as it is for those who have not answered by `deadline`.
    """

    key: str
    title: str
    text: str
    field: Callable[[], forms.Field]
    default: str
    deadline: datetime

    @property
    def default_shown(self) -> str:
        """Return the default as people read it: a choice by its label."""
        choices = getattr(self.field(), "choices", ())
        return str(dict(choices).get(self.default, self.default))


_questions: dict[str, Question] = {}


def register(question: Question) -> None:
    """Ask every organisation a question. Raises ImproperlyConfigured for one that cannot be asked."""
    if not _KEY.fullmatch(question.key) or len(question.key) > 60:
        raise ImproperlyConfigured(f"{question.key!r} is no key: write room.noun in lower case.")
    if question.key in _questions:
        raise ImproperlyConfigured(f"The question {question.key} is registered twice.")
    if timezone.is_naive(question.deadline):
        raise ImproperlyConfigured(f"The deadline of {question.key} needs a time zone.")
    try:
        question.field().clean(question.default)
    except forms.ValidationError as problem:
        raise ImproperlyConfigured(f"The default of {question.key} is no answer to it.") from problem
    _questions[question.key] = question


def registered() -> list[Question]:
    """Return all questions, the most urgent first."""
    return sorted(_questions.values(), key=lambda one: (one.deadline, one.key))


def find(key: str) -> Question | None:
    """Return a question by its key, or None."""
    return _questions.get(key)


def all_answered(key: str) -> bool:
    """Return whether every organisation has answered a question or was given its default.

    False as long as one was not asked yet: what is not known is not taken for an answer.
    """
    settled = QuestionState.objects.filter(key=key).exclude(progress=QuestionProgress.ASKED)
    return not Organisation.objects.placed().exclude(pk__in=settled.values("organisation_id")).exists()
