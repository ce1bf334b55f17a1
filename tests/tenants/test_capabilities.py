"""What a schema has is asked of the schema, and what it lacks is left out."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models

from tenants import capabilities
from tenants.capabilities import SchemaLacks, UnknownCapability, capability, has
from tenants.checks import capabilities_can_be_missing
from tenants.context import Actor, NoTenant, enter
from tenants.models import Organisation
from tests.rooms.gear.models import Speaker

ACTOR = Actor.system("test")


class TestHas:
    def test_an_undeclared_name_is_an_error(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR), pytest.raises(UnknownCapability):
            has("gear.nothing")

    def test_outside_an_organisation_there_is_no_answer(self, watts_to_come: None) -> None:
        with pytest.raises(NoTenant):
            has("gear.watts")

    def test_one_look_is_enough_for_all_requests(self, pulse: Organisation, watts_to_come: None) -> None:
        capability("gear.first", since=("gear", "0001_initial"))
        with enter(pulse, actor=ACTOR):
            assert (has("gear.first"), has("gear.watts")) == (True, False)
            asked: list[str] = []

            def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]  # Django's wrapper
                asked.append(sql)
                return execute(sql, params, many, context)

            with connections[pulse.placement().alias].execute_wrapper(count):
                assert (has("gear.first"), has("gear.watts")) == (True, False)
            assert asked == []

    def test_that_something_is_missing_is_believed_for_a_moment_only(
        self, pulse: Organisation, watts_to_come: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with enter(pulse, actor=ACTOR):
            assert not has("gear.watts")
        (belief,) = capabilities._beliefs.values()
        assert belief.until < float("inf")
        monkeypatch.setattr(capabilities, "_declared", {})
        capability("gear.first", since=("gear", "0001_initial"))
        with enter(pulse, actor=ACTOR):
            assert has("gear.first")
        (belief,) = capabilities._beliefs.values()
        assert belief.until == float("inf")


class TestAMissingColumn:
    def test_is_left_out_and_read_as_its_default(self, pulse: Organisation, watts_to_come: None) -> None:
        with enter(pulse, actor=ACTOR):
            row = Speaker.objects.create(name="Sub", serial="c-1")
            read = Speaker.objects.get(pk=row.pk)
            assert (row.watts, read.watts) == (None, None)
            assert "watts" in read.get_deferred_fields()
            read.name = "Subwoofer"
            read.save()
            assert Speaker.objects.filter(watts=None, name="Subwoofer").count() == 1
            with pytest.raises(SchemaLacks):
                Speaker.objects.create(name="Top", serial="c-2", watts=5)
            with pytest.raises(SchemaLacks):
                Speaker.objects.filter(pk=row.pk).update(watts=5)


class TestDeclaring:
    def test_everything_that_is_declared_comes_with_a_migration(self) -> None:
        assert capabilities_can_be_missing(None) == []

    def test_a_column_that_old_code_cannot_do_without_is_an_error(self, watts_to_come: None) -> None:
        said = [error.id for error in capabilities_can_be_missing(None)]
        assert said == ["tenants.W001"]  # no such migration
        before = Speaker.__dict__["name"]
        try:
            capability("gear.name", since=("gear", "0001_initial"), brings=("Speaker.name",))
            assert [error.id for error in capabilities_can_be_missing(None)] == [
                "tenants.W001",
                "tenants.E005",
            ]
        finally:
            Speaker.name = before

    def test_a_column_that_is_none_and_a_name_twice_are_errors(self, watts_to_come: None) -> None:
        with pytest.raises(ImproperlyConfigured, match="does not exist"):
            capability("gear.ghost", since=("gear", "0001_initial"), brings=("Speaker.ghost",))
        with pytest.raises(ImproperlyConfigured, match="twice"):
            capability("gear.watts", since=("gear", "0001_initial"))

    @pytest.mark.parametrize(
        ("field", "is_fine"),
        [
            (models.CharField(max_length=5), False),
            (models.CharField(max_length=5, null=True), True),
            (models.CharField(max_length=5, db_default="x"), True),
            (models.DateTimeField(db_default=models.functions.Now()), False),
            (models.UUIDField(null=True, default=__import__("uuid").uuid4), False),
        ],
    )
    def test_says_which_fields_can_be_missing(self, field: models.Field, is_fine: bool) -> None:  # type: ignore[type-arg]  # any
        assert (capabilities.problem_with(field) == "") is is_fine
