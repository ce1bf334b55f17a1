"""The context and its backend: nothing reaches a shard outside a tenant's transaction."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, connections, transaction
from django.db.transaction import TransactionManagementError

from accounts.identity.models import User
from tenants.context import Actor, NoTenant, WrongTenant, become, control_plane, current, enter, on_shard
from tenants.models import Organisation

ACTOR = Actor.system("test")
OF_PULSE = {"ada@pulse.example", "ben@pulse.example", "cy@pulse.example"}


def addresses() -> set[str]:
    """Return every address in the tenant entered."""
    return set(User.objects.values_list("email", flat=True))


def setting(name: str) -> str:
    """Return one of PostgreSQL's settings as the current transaction sees it."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", (name,))
        return str(cursor.fetchone()[0])


class TestEnter:
    def test_shows_each_organisation_its_own_people(self, pulse: Organisation, tide: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            assert addresses() == OF_PULSE
        with enter(tide, actor=ACTOR):
            assert addresses() == {"dee@tide.example"}

    def test_sets_role_path_and_actor_for_the_transaction(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR, request_id="r-1"):
            assert setting("role") == setting("search_path") == pulse.schema_name
            assert '"label":"test"' in setting("app.actor")
            assert setting("app.request_id") == "r-1"

    def test_makes_default_the_shard_of_the_organisation(
        self, pulse: Organisation, tide: Organisation
    ) -> None:
        for organisation in (pulse, tide):
            with enter(organisation, actor=ACTOR):
                assert connections["default"].alias == organisation.shard_id

    def test_refuses_another_organisation_inside(self, pulse: Organisation, tide: Organisation) -> None:
        with enter(pulse, actor=ACTOR), pytest.raises(WrongTenant), enter(tide, actor=ACTOR):
            pass

    def test_shows_a_new_actor_to_the_next_query(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            addresses()
            become(Actor(kind="person", label="Ada"))
            assert '"label":"Ada"' in setting("app.actor")

    def test_leaves_no_context_behind(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            become(Actor.anonymous())
        assert current() is None


class TestOutside:
    def test_a_query_raises(self, pulse: Organisation) -> None:
        with pytest.raises(NoTenant):
            addresses()

    def test_a_raw_query_raises(self, pulse: Organisation) -> None:
        with pytest.raises(NoTenant), connections["shard_1"].cursor() as cursor:
            cursor.execute("SELECT 1")

    def test_default_raises(self, pulse: Organisation) -> None:
        with pytest.raises(NoTenant), transaction.atomic():
            pass

    def test_a_thread_started_inside_raises(self, pulse: Organisation) -> None:
        seen: list[BaseException] = []

        def work() -> None:
            try:
                addresses()
            except NoTenant as problem:
                seen.append(problem)

        with enter(pulse, actor=ACTOR):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert len(seen) == 1

    def test_a_generator_consumed_afterwards_raises(self, pulse: Organisation) -> None:
        def people() -> Iterator[User]:
            yield from User.objects.iterator()

        with enter(pulse, actor=ACTOR):
            later = people()
        with pytest.raises(NoTenant):
            next(later)

    def test_a_cursor_kept_from_inside_raises(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            cursor = connections["default"].cursor()
        with pytest.raises(NoTenant):
            cursor.execute("SELECT 1")

    @pytest.mark.parametrize("door", [control_plane, lambda: on_shard("shard_1")])
    def test_tenant_rows_are_not_reached_from_elsewhere(
        self, pulse: Organisation, door: Callable[[], Any]
    ) -> None:
        from guardian.models import UserObjectPermission

        with door(), pytest.raises(NoTenant):
            UserObjectPermission.objects.count()


class TestWallsByThemselves:
    """Each wall holds with the other taken away."""

    def test_right_role_with_wrong_path_sees_nothing(self, pulse: Organisation, other: Organisation) -> None:
        with enter(pulse, actor=ACTOR), connections["default"].cursor() as cursor:
            cursor.execute("SELECT set_config('search_path', %s, true)", (other.schema_name,))
            with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
                cursor.execute("SELECT * FROM identity_user")

    def test_right_path_with_wrong_role_sees_nothing(self, pulse: Organisation, other: Organisation) -> None:
        with enter(pulse, actor=ACTOR), connections["default"].cursor() as cursor:
            cursor.execute("SELECT set_config('role', %s, true)", (other.schema_name,))
            with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
                cursor.execute("SELECT * FROM identity_user")

    def test_a_qualified_name_is_denied(self, pulse: Organisation, other: Organisation) -> None:
        with enter(pulse, actor=ACTOR), connections["default"].cursor() as cursor:
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(f"SELECT * FROM {other.schema_name}.identity_user")

    @pytest.mark.parametrize("table", ["enclave.wake", "enclave.template", "enclave.issued"])
    def test_the_shard_is_out_of_reach(self, pulse: Organisation, table: str) -> None:
        with enter(pulse, actor=ACTOR), connections["default"].cursor() as cursor:
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(f"SELECT * FROM {table}")

    def test_the_login_by_itself_sees_no_tenant(self, pulse: Organisation) -> None:
        with on_shard("shard_1"), connections["shard_1"].cursor() as cursor:
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(f"SELECT * FROM {pulse.schema_name}.identity_user")

    def test_a_tenant_makes_no_tables(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR), connections["default"].cursor() as cursor:
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute("CREATE TABLE mine (id int)")


class TestAfterwards:
    """Nothing of a tenant stays on the connection: asked by the driver, behind Django's back."""

    @pytest.mark.parametrize("ending", ["commit", "rollback"])
    def test_role_and_path_are_gone(self, organisations: dict[str, Organisation], ending: str) -> None:
        with enter(organisations["pulse"], actor=ACTOR):
            addresses()
            transaction.set_rollback(ending == "rollback", using="shard_1")
        connection = connections["shard_1"].connection
        row = connection.execute(
            "SELECT current_user, current_setting('search_path'), current_setting('app.actor', true)"
        ).fetchone()
        assert row[0] == "enclave_app"
        assert "t_" not in row[1]
        assert not row[2]


class TestTrouble:
    """After every kind of failure the next query has its tenant again."""

    def test_a_savepoint_rolled_back(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            with pytest.raises(DatabaseError), transaction.atomic():
                User.objects.create_user("x@pulse.example", "X")
                User.objects.create_user("x@pulse.example", "X")
            assert addresses() == OF_PULSE

    def test_a_first_query_inside_a_savepoint_rolled_back(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                addresses()
                raise ZeroDivisionError
            assert addresses() == OF_PULSE

    def test_a_statement_timeout(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            with (
                pytest.raises(DatabaseError),
                transaction.atomic(),
                connections["default"].cursor() as cursor,
            ):
                cursor.execute("SET LOCAL statement_timeout = '20ms'")
                cursor.execute("SELECT pg_sleep(1)")
            assert addresses() == OF_PULSE

    def test_third_party_atomic_on_the_second_shard(self, tide: Organisation) -> None:
        with enter(tide, actor=ACTOR):
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                User.objects.create_user("y@tide.example", "Y")
                raise ZeroDivisionError
            assert addresses() == {"dee@tide.example"}

    def test_a_transaction_that_is_not_one(self, organisations: dict[str, Organisation]) -> None:
        with enter(organisations["pulse"], actor=ACTOR):
            connection = connections["shard_1"]
            connection.in_atomic_block = False
            try:
                with pytest.raises(TransactionManagementError):
                    addresses()
            finally:
                connection.in_atomic_block = True


class TestRowsKeptInMemory:
    """A row loaded for one organisation is refused by another."""

    @pytest.mark.parametrize("use", [User.save, User.delete, User.refresh_from_db])
    def test_is_not_written_elsewhere(
        self, pulse: Organisation, tide: Organisation, use: Callable[[User], Any]
    ) -> None:
        with enter(pulse, actor=ACTOR):
            ada = User.objects.get(email="ada@pulse.example")
        with enter(tide, actor=ACTOR), pytest.raises(WrongTenant):
            use(ada)
