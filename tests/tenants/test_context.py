"""The context and its backend: nothing reaches a shard outside a tenant's transaction."""

import asyncio
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from copy import copy
from typing import Any

import psycopg
import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import sync_to_async
from django.db import DatabaseError, ProgrammingError, connections, transaction
from django.db.transaction import TransactionManagementError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from accounts.identity.models import User
from tenants.context import (
    Actor,
    NoTenant,
    WrongTenant,
    act_as,
    become,
    control_plane,
    current,
    enter,
    on_shard,
)
from tenants.middleware import HostMiddleware, PlaneMiddleware
from tenants.models import Organisation
from tests import servers

ACTOR = Actor.system("test")
Cast = dict[str, Organisation]
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
    def test_lists_the_tables_of_this_organisation_alone(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            listed = connections["default"].introspection.table_names()
        assert {"identity_user", "django_migrations"} <= set(listed)
        assert "issued" not in listed
        assert len(listed) == len(set(listed))

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

    def test_says_who_acts_also_after_a_savepoint_was_rolled_back(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR), act_as(Actor.system("other")):
            with pytest.raises(ProgrammingError), transaction.atomic():
                assert '"label":"other"' in setting("app.actor")  # said for the first time in here
                User.objects.raw("SELECT nonsense")[0]
            assert '"label":"other"' in setting("app.actor")

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


def streaming(organisation: Organisation, pieces: Callable[[], Iterator[str]]) -> Iterator[bytes]:
    """Return the body of a streaming answer that went through the request middleware."""

    def view(request: HttpRequest) -> HttpResponse:
        return StreamingHttpResponse(pieces())  # type: ignore[return-value]  # as Django's own handlers see it

    request = RequestFactory().get("/", headers={"host": organisation.primary_host})
    answer: Any = HostMiddleware(PlaneMiddleware(view))(request)
    return iter(answer.streaming_content)


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

    def test_a_thread_that_was_given_the_context_raises(self, organisations: Cast) -> None:
        """It has a connection of its own, on which no transaction is open."""

        def work() -> str:
            try:
                addresses()
            except TransactionManagementError as problem:
                return str(problem)
            finally:
                connections.close_all()
            return ""

        with enter(organisations["pulse"], actor=ACTOR):
            given = copy_context()
            with ThreadPoolExecutor(1) as threads:
                assert "outside a transaction" in threads.submit(given.run, work).result()

    def test_an_event_loop_s_thread_raises(self, organisations: Cast) -> None:
        with enter(organisations["pulse"], actor=ACTOR):
            with pytest.raises((NoTenant, DatabaseError)):
                asyncio.run(sync_to_async(addresses)())

    def test_a_streaming_answer_raises(self, organisations: Cast) -> None:
        answer = streaming(organisations["pulse"], lambda: (user.email for user in User.objects.iterator()))
        with pytest.raises(NoTenant):
            b"".join(answer)

    def test_a_streaming_answer_may_enter_by_itself(self, organisations: Cast) -> None:
        pulse = organisations["pulse"].placement()

        def pieces() -> Iterator[str]:
            with enter(pulse, actor=ACTOR):
                found = sorted(addresses())
            yield from found

        assert b"".join(streaming(organisations["pulse"], pieces)).startswith(b"ada@pulse.example")

    def test_a_callback_after_the_commit_raises(self, organisations: Cast) -> None:
        seen: list[str] = []

        def afterwards() -> None:
            with pytest.raises(TransactionManagementError) as problem:
                addresses()
            seen.append(str(problem.value))

        with enter(organisations["pulse"], actor=ACTOR):
            transaction.on_commit(afterwards)
            assert seen == []
        assert len(seen) == 1

    def test_a_callback_after_the_commit_may_enter_by_itself(self, organisations: Cast) -> None:
        pulse, seen = organisations["pulse"].placement(), set()

        def afterwards() -> None:
            with enter(pulse, actor=ACTOR):
                seen.update(addresses())

        with enter(pulse, actor=ACTOR):
            transaction.on_commit(afterwards)
        assert seen == OF_PULSE

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

    def test_a_missing_table_is_not_looked_for_in_public(self, organisations: Cast) -> None:
        assert servers.POSTGRES is not None
        with psycopg.connect(servers.POSTGRES.superuser_url("shard_1"), autocommit=True) as superuser:
            superuser.execute("CREATE TABLE public.fallen_through (id int)")
            superuser.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
            superuser.execute("GRANT SELECT ON public.fallen_through TO PUBLIC")
            try:
                with enter(organisations["pulse"], actor=ACTOR), connections["default"].cursor() as cursor:
                    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
                        cursor.execute("SELECT * FROM fallen_through")
            finally:
                superuser.execute("DROP TABLE public.fallen_through")
                superuser.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")

    @pytest.mark.parametrize("alias", ["shard_1", "shard_2"])
    def test_the_shared_schema_of_a_shard_is_empty(self, db: None, alias: str) -> None:
        with on_shard(alias), connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class JOIN pg_namespace AS ns ON ns.oid = relnamespace "
                "WHERE nspname = 'public'"
            )
            assert cursor.fetchall() == []

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


def times_out(cursor: Any) -> None:
    cursor.execute("SET LOCAL statement_timeout = '20ms'")
    cursor.execute("SELECT pg_sleep(1)")


def is_cancelled(cursor: Any) -> None:
    raw: Any = connections["shard_1"].connection
    threading.Timer(0.05, raw.cancel).start()
    cursor.execute("SELECT pg_sleep(2)")


def loses_its_connection(cursor: Any) -> None:
    raw: Any = connections["shard_1"].connection
    raw.close()
    addresses()


def raises_in_python(cursor: Any) -> None:
    raise ZeroDivisionError


def is_refused_with(sqlstate: str) -> Callable[[Any], None]:
    """Return the trouble of a transaction that the server breaks off, as it does with a victim of its own."""

    def trouble(cursor: Any) -> None:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'broken off' USING ERRCODE = '{sqlstate}'; END $$")

    return trouble


TROUBLES: dict[str, Callable[[Any], None]] = {
    "an exception": raises_in_python,
    "a statement timeout": times_out,
    "a statement cancelled": is_cancelled,
    "a connection lost": loses_its_connection,
    "a deadlock": is_refused_with("40P01"),
    "a serialisation failure": is_refused_with("40001"),
}


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

    @pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
    def test_a_whole_transaction_that_broke_off(
        self, organisations: Cast, neighbour: Organisation, trouble: Callable[[Any], None]
    ) -> None:
        """Whatever became of it, the next one on this connection has its own organisation alone."""
        with pytest.raises((DatabaseError, ZeroDivisionError)):
            with enter(organisations["pulse"], actor=ACTOR), connections["default"].cursor() as cursor:
                User.objects.create_user("x@pulse.example", "X")
                trouble(cursor)
        assert current() is None
        with enter(neighbour, actor=ACTOR):
            assert addresses() == {"nia@neighbour.example"}
        with enter(organisations["pulse"], actor=ACTOR):
            assert addresses() == OF_PULSE

    def test_a_transaction_that_is_not_one(self, organisations: dict[str, Organisation]) -> None:
        with enter(organisations["pulse"], actor=ACTOR):
            connection = connections["shard_1"]
            connection.in_atomic_block = False
            try:
                with pytest.raises(TransactionManagementError), act_as(Actor.system("another")):
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

    @pytest.mark.parametrize(
        "use",
        [
            lambda row: User.objects.bulk_create([row]),
            lambda row: User.objects.bulk_update([row], ["name"]),
            lambda row: pickle.loads(pickle.dumps(row)).save(),  # noqa: S301  # our own bytes
            lambda row: copy(row).save(),
        ],
        ids=["bulk_create", "bulk_update", "pickled", "copied"],
    )
    def test_is_not_carried_over_in_bulk_or_by_a_copy(
        self, pulse: Organisation, tide: Organisation, use: Callable[[User], Any]
    ) -> None:
        with enter(pulse, actor=ACTOR):
            ada = User.objects.get(email="ada@pulse.example")
        with enter(tide, actor=ACTOR), pytest.raises(WrongTenant):
            use(ada)

    @pytest.mark.parametrize("use", [EmailAddress.save, EmailAddress.delete])
    def test_of_other_people_s_apps_neither(
        self, pulse: Organisation, other: Organisation, use: Callable[[EmailAddress], Any]
    ) -> None:
        """Their keys are numbers: the same one names a row of somebody else."""
        with enter(pulse, actor=ACTOR):
            theirs = EmailAddress.objects.get(email="ada@pulse.example")
        with enter(other, actor=ACTOR):
            theirs.pk = EmailAddress.objects.get().pk
            with pytest.raises(WrongTenant), transaction.atomic():
                use(theirs)
            assert EmailAddress.objects.get().email == "eve@other.example"
