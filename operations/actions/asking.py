"""Asking every organisation what only it can answer, and taking the default at the deadline."""

import logging
from datetime import datetime

from django.db import Error as DatabaseError

from accounts.actions.answering import note_settled, settle
from accounts.questions import Question, registered
from tenants.context import Actor, enter
from tenants.models import Organisation, QuestionProgress, QuestionState
from tenants.refusals import Refusal

logger = logging.getLogger(__name__)
SWEEPER = Actor.system("Enclave")
AT_ONCE = 200


def sweep(*, at: datetime) -> int:
    """Ask those who were not asked yet and settle what is due; return how many were settled."""
    return sum(_ask(question, at=at) for question in registered())


def _ask(question: Question, *, at: datetime) -> int:
    asked = QuestionState.objects.filter(key=question.key)
    new = Organisation.objects.placed().exclude(pk__in=asked.values("organisation_id"))
    QuestionState.objects.bulk_create(
        [QuestionState(organisation=one, key=question.key, asked_at=at) for one in new],
        ignore_conflicts=True,
    )
    if at < question.deadline:
        return 0
    waiting = Organisation.objects.placed().filter(
        questions__key=question.key, questions__progress=QuestionProgress.ASKED
    )
    # In no fixed order: some who cannot be settled must not keep the others from it for ever.
    return sum(_settle(one, question, at=at) for one in waiting.order_by("?")[:AT_ONCE])


def _settle(organisation: Organisation, question: Question, *, at: datetime) -> bool:
    """Settle one organisation's question. One in trouble stops no other."""
    try:
        with enter(organisation, actor=SWEEPER):
            progress = settle(question=question, at=at)
    except (DatabaseError, Refusal):
        logger.exception("%s could not be given the default of %s", organisation.slug, question.key)
        return False
    if progress is None:
        return False
    note_settled(organisation.pk, question.key, progress, at=at)
    return True
