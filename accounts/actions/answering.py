"""Answering the questions that only an organisation can answer."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.identity.models import User
from accounts.models import OrganisationAnswer
from accounts.questions import Question, registered
from permissions import perms
from permissions.ladder import acting
from tenants.capabilities import capability, has
from tenants.context import current_tenant
from tenants.models import QuestionProgress, QuestionState

ANSWERS = capability("accounts.answers", since=("accounts", "0002_answers")).name


def answer_to(key: str) -> str | None:
    """Return what the organisation entered has answered, or None as long as it has not."""
    if not has(ANSWERS):
        return None
    return OrganisationAnswer.objects.filter(key=key).values_list("value", flat=True).first()


def open_questions() -> list[Question]:
    """Return what the organisation entered has not been asked in vain: unanswered, the most urgent first."""
    asked = registered()
    if not asked or not has(ANSWERS):
        return []
    given = set(OrganisationAnswer.objects.filter(is_default=False).values_list("key", flat=True))
    return [one for one in asked if one.key not in given]


@transaction.atomic
def answer(*, question: Question, value: str, by: User, at: datetime) -> OrganisationAnswer:
    """Keep an answer; that there is one is noted in the control plane after the commit. Raises NotAllowed."""
    acting(by, perm=perms.SETTINGS_CHANGE, at=at)
    row, _ = OrganisationAnswer.objects.update_or_create(
        key=question.key, defaults={"value": value, "is_default": False, "answered_at": at}
    )
    settled = partial(note_settled, current_tenant().id, question.key, QuestionProgress.ANSWERED, at=at)
    transaction.on_commit(settled)
    return row


def settle(*, question: Question, at: datetime) -> QuestionProgress | None:
    """Take the default where nobody has answered by the deadline; return what became of the question.

    Inside the organisation. None before the deadline, and while its schema cannot keep answers yet.
    """
    if not has(ANSWERS):
        return None
    row = OrganisationAnswer.objects.filter(key=question.key).first()
    if row is None and at < question.deadline:
        return None
    if row is None:
        row, _ = OrganisationAnswer.objects.get_or_create(
            key=question.key, defaults={"value": question.default, "is_default": True, "answered_at": at}
        )
    return QuestionProgress.DEFAULTED if row.is_default else QuestionProgress.ANSWERED


def note_settled(organisation_id: UUID, key: str, progress: QuestionProgress, *, at: datetime) -> None:
    """Write down in the control plane what became of a question. Idempotent."""
    QuestionState.objects.update_or_create(
        organisation_id=organisation_id,
        key=key,
        defaults={"progress": progress, "settled_at": at},
        create_defaults={"progress": progress, "settled_at": at, "asked_at": at},
    )
