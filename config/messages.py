"""What a person is told on their next page: the last few sentences, kept in their session."""

from typing import Any

from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpResponse

# A script that sends forms never opens the page that would say them: each would make every later request
# read, write and encrypt all that came before it.
MOST_KEPT = 10


class LastMessages(SessionStorage):
    """Django's, which forgets the oldest where nobody looks."""

    def _store(
        self, messages: list[Message], response: HttpResponse, *args: Any, **kwargs: Any
    ) -> list[Message]:
        kept: list[Message] = super()._store(messages[-MOST_KEPT:], response, *args, **kwargs)  # type: ignore[misc]  # not in the stubs
        return kept
