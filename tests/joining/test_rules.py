"""What rooms say of their rows, and what is worked out from it. Needs no server."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

from accounts import keys
from accounts.identity.models import User
from jobs.models import Job
from operations import checks
from operations.joining import shape, staging
from permissions.models import Membership
from records.models import Collection, Import, Record
from tenants import joining
from tenants.joining import Rule, comes, stays
from tests.rooms.gear.models import Speaker

PLACE = shape.Place("t_abcdefghijklmnopqrst", datetime(2026, 1, 31, tzinfo=UTC))


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> dict[type[Model], Rule]:
    """The rules, which a test may change."""
    changed: dict[type[Model], Rule] = dict(joining._rules)
    monkeypatch.setattr(joining, "_rules", changed)
    return changed


class TestChecks:
    def test_everything_is_thought_of(self) -> None:
        assert checks.joining_is_thought_of(None) == []

    def test_a_model_without_a_rule_is_an_error(self, rules: dict[type[Model], Rule]) -> None:
        del rules[Speaker]
        (error,) = checks.joining_is_thought_of(None)
        assert error.id == "operations.E002"
        assert "gear.Speaker" in error.msg

    def test_a_column_that_is_not_there_is_an_error(self, rules: dict[type[Model], Rule]) -> None:
        comes(Speaker, rule=Rule(people=("bought_by",)))
        (error,) = checks.joining_is_thought_of(None)
        assert "bought_by" in error.msg

    def test_a_key_to_what_stays_has_to_become_something(self, rules: dict[type[Model], Rule]) -> None:
        comes(Import)
        (error,) = checks.joining_is_thought_of(None)
        assert "job" in error.msg

    def test_rows_stay_for_a_reason(self, rules: dict[type[Model], Rule]) -> None:
        with pytest.raises(ImproperlyConfigured):
            stays(Speaker, because=" ")
        with pytest.raises(ImproperlyConfigured):
            comes(Speaker, rule=Rule(because="They are theirs."))


class TestShape:
    def test_parents_come_before_what_belongs_to_them_and_doors_last(self) -> None:
        order = [table.model for table in shape.tables()]
        assert order.index(User) < order.index(Membership)
        assert order.index(Collection) < order.index(Record)
        assert order[-1] is Membership
        assert Job not in order

    def test_what_belongs_to_a_row_that_does_not_come_does_not_come(self) -> None:
        (table,) = (one for one in shape.tables() if one.name == "records_importedrow")
        assert "p0.state IN ('done', 'undone')" in shape.coming(table, PLACE)

    def test_only_what_was_picked_comes(self) -> None:
        picked = shape.Place(PLACE.staged, PLACE.moment, picked=True)
        for table in shape.tables():
            assert "joined_pick" in shape.coming(table, picked)
            assert "joined_pick" not in shape.coming(table, PLACE)

    def test_a_name_of_a_schema_that_we_did_not_make_is_refused(self) -> None:
        with pytest.raises(ValueError, match="schema"):
            shape.Place("public; DROP TABLE x", PLACE.moment)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "taken", "suffix", "longest", "said"),
        [
            ("Crew", {"crew"}, "Tide", 60, "Crew (Tide)"),
            ("Crew", {"crew", "crew (tide)"}, "Tide", 60, "Crew (Tide 2)"),
            ("plans", {"plans", "plans-2"}, "", 60, "plans-3"),
            ("a" * 60, {"a" * 60}, "Tide", 60, "a" * 53 + " (Tide)"),
            ("Crew", {"crew"}, "Tide", None, "Crew (Tide)"),
        ],
    )
    def test_are_free_and_not_too_long(
        self, name: str, taken: set[str], suffix: str, longest: int | None, said: str
    ) -> None:
        assert staging.free_name(name, taken, suffix=suffix, longest=longest) == said


class TestSecrets:
    def test_are_encrypted_for_the_other_organisation(self) -> None:
        one, other = uuid4(), uuid4()
        sealed = keys._sealed("a secret", one.hex)
        again = keys.resealed(sealed, of=one, to=other)
        assert keys._opened(again, other.hex) == "a secret"
        with pytest.raises(keys.Unreadable):
            keys._opened(again, one.hex)
        with pytest.raises(keys.Unreadable):
            keys.resealed(sealed, of=other, to=one)
