"""Another organisation's trail, kept here as it was: copied, read, walled, erased and verified."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.test import Client

from audit import labels, origins
from audit.history import object_history
from audit.queries import Filters, page
from audit.sentences import say
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.audit.annexed import CAME, DELETED, GROUP, HERE_NOW, Kept, kept_by

ClientAs = Callable[[str, Organisation], Client]


@pytest.fixture(scope="module")
def kept(owner: psycopg.Connection, organisations: dict[str, Organisation]) -> Iterator[Kept]:
    """Pulse keeps Tide's trail."""
    with kept_by(owner, organisations) as made:
        yield made


@pytest.fixture(autouse=True)
def _believes_nothing(kept: Kept) -> Iterator[None]:
    origins.forget()
    yield
    origins.forget()


@pytest.fixture
def there(kept: Kept, pulse: Organisation) -> Iterator[Any]:
    """Pulse is entered, with three groups under the numbers that matter, and Tide's trail is read."""
    with enter(pulse, actor=Actor.system("test")):
        Group.objects.create(id=CAME, name="Land crew")
        Group.objects.create(id=HERE_NOW, name="Sea crew of Tide")
        Group.objects.create(id=DELETED, name="Night crew")
        origin = origins.find(str(kept.source))
        assert origin is not None
        with origins.reading(origin):
            yield origin


def _about(number: int | None = None, **asked: Any) -> list[str]:
    key = UUID(int=number) if number is not None else None
    return [one.sentence for one in say(page(Filters(object_id=key, **asked)).entries)]


class TestNumbers:
    """Groups and links have numbers, which are others here, and mean something else in each table."""

    def test_a_group_that_came_is_called_as_it_is_here(self, there: Any) -> None:
        assert "Tide itself added the group Sea crew of Tide" in _about()

    def test_a_group_is_never_called_as_another_one_with_its_old_number(self, there: Any) -> None:
        told = " ".join(_about())
        assert "Land crew" not in told
        assert "Night crew" not in told

    def test_a_group_that_was_deleted_there_is_called_as_it_was(self, there: Any) -> None:
        assert "Tide itself added the group Gone crew" in _about()

    def test_a_group_is_found_under_the_number_that_it_had(self, there: Any) -> None:
        told = _about(HERE_NOW, type_id=GROUP)
        assert told
        assert all("Sea crew of Tide" in one for one in told)

    def test_a_group_of_here_has_no_entries_of_the_one_that_had_its_number(self, there: Any) -> None:
        assert _about(CAME, type_id=GROUP) == []
        assert _about(DELETED, type_id=GROUP) == []

    def test_a_value_that_refers_to_a_group_names_the_one_that_it_is_here(self, there: Any) -> None:
        entries = page(Filters(codes=("identity.user_groups.added",))).entries
        words = [line.after for said in say(labels.as_read_by(None, entries)) for line in said.details]
        assert "Sea crew of Tide" in words
        assert "Land crew" not in words

    def test_the_history_of_a_group_is_its_own(self, kept: Kept, pulse: Organisation) -> None:
        with enter(pulse, actor=Actor.system("test")):
            land = Group.objects.create(id=CAME, name="Land crew")
            found, _ = object_history(land)
        assert [one.entry.origin for one in found] == [""]
