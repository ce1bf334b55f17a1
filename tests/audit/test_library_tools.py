"""django-auditlog's model reads our trail; its tools for the history of an object work on it."""

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction

from accounts.identity.models import User


class TestTheLibrarysView:
    def test_shows_the_history_of_an_object(self, inside: Any) -> None:
        group = Group.objects.create(name="Crew")
        Group.objects.filter(pk=group.pk).update(name="Night crew")

        changed, added = LogEntry.objects.get_for_object(group)
        assert (added.action, changed.action) == (LogEntry.Action.CREATE, LogEntry.Action.UPDATE)
        assert changed.changes_dict == {"name": ["Crew", "Night crew"]}
        assert changed.cid == "r-1"
        assert changed.remote_addr == "192.0.2.7"

    def test_finds_objects_with_uuids(self, inside: Any) -> None:
        user = User.objects.create_user("grace@pulse.example", "Grace Hopper")

        (entry,) = LogEntry.objects.get_for_object(user)
        assert entry.object_pk == str(user.pk)
        assert "Grace" not in str(entry.changes)

    def test_cannot_be_written(self, inside: Any) -> None:
        entry = LogEntry.objects.first()
        assert entry is not None
        with pytest.raises(DatabaseError), transaction.atomic():
            entry.delete()
