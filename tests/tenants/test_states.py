"""The states of an organisation: what each stops, and that the database holds it where changes stop."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from accounts.identity.models import User
from jobs.actions import enqueue
from jobs.actions.running import Surroundings
from jobs.actions.working import work
from records.actions import collections
from records.models import Collection
from records.values import FieldSpec, FieldType
from tenants import hosts, standstill
from tenants.context import Actor, NoTenant, enter
from tenants.models import Organisation
from tenants.placement import STOPS, State
from tenants.refusals import OrganisationClosed
from tenants.routers import Home, home_of
from tenants.standstill import open_tables
from tests.conftest import PASSWORD, ClientAs
from tests.people import visitor
from tests.probes import filling  # noqa: F401  # registers a kind of job that does nothing
from tests.url_table import OWNER, TABLE

ACTOR = Actor.system("test")
SIGN_IN = "/accounts/login/"


def put(organisation: Organisation, state: State) -> Organisation:
    """Bring an organisation into a state, and return it as it is then."""
    found = Organisation.objects.get(pk=organisation.pk)
    found.move_to(state, reason="test")
    hosts.forget()
    return found


def make_collection(name: str = "Made") -> Collection:
    """Change something, inside the organisation entered."""
    specs = (FieldSpec("f_name", "Name", FieldType.TEXT),)
    ada = User.objects.get(email="ada@pulse.example")
    return collections.create(name=name, fields=specs, by=ada, at=timezone.now())


@pytest.fixture
def leaving(pulse: Organisation) -> Organisation:
    """Pulse, leaving, with a collection in it."""
    with enter(pulse, actor=ACTOR):
        make_collection("Kept")
    return put(pulse, State.LEAVING)


class TestEachState:
    """Requests, changes, jobs and entry: tried, not read off the table."""

    def enters(self, organisation: Organisation) -> bool:
        try:
            with enter(organisation, actor=ACTOR):
                return User.objects.exists()
        except NoTenant:
            return False

    def changes(self, organisation: Organisation) -> bool:
        try:
            with enter(organisation, actor=ACTOR):
                return bool(make_collection())
        except (OrganisationClosed, NoTenant):
            return False

    def works(self, organisation: Organisation) -> bool:
        tenant = organisation.placement()
        return (
            work(tenant, queue="app", around=Surroundings(lambda _: tenant, beats=False)).job_id is not None
        )

    @pytest.mark.parametrize(
        ("state", "answers", "changes", "works", "enters"),
        [
            (State.TRIAL, 200, True, True, True),
            (State.ACTIVE, 200, True, True, True),
            (State.SUSPENDED, 503, False, False, True),
            (State.LEAVING, 200, False, True, True),
            (State.GONE, 410, False, False, False),
        ],
    )
    def test_stops_what_it_says(
        self, pulse: Organisation, state: State, answers: int, changes: bool, works: bool, enters: bool
    ) -> None:
        with enter(pulse, actor=ACTOR):
            enqueue("probe.nothing", payload={}, label="Nothing", by=None)
        now = put(pulse, state)
        assert visitor(pulse.primary_host).get(SIGN_IN).status_code == answers
        assert self.changes(now) is changes
        assert self.works(now) is works
        assert self.enters(now) is enters

    def test_none_was_forgotten(self) -> None:
        assert set(STOPS) == set(State)


WAYS: dict[str, Callable[[], Any]] = {
    "an action": make_collection,
    "update": lambda: Collection.objects.update(name="Other"),
    "delete": lambda: Collection.objects.all().delete(),
    "save": lambda: Collection.objects.get(name="Kept").save(),
    "bulk_create": lambda: Collection.objects.bulk_create([Collection(name="Other", key="other")]),
}
STATEMENTS = [
    "WITH gone AS (DELETE FROM records_collection RETURNING 1) SELECT count(*) FROM gone",
    "/* */ UPDATE records_collection SET name = 'Other'",
    "MERGE INTO ONLY records_collection USING (SELECT 1) ON true WHEN MATCHED THEN UPDATE SET name = 'x'",
    "DO $$ BEGIN UPDATE permissions_role SET name = 'Other'; END $$",
    "SELECT 1; DELETE FROM records_field",
]


class TestLeaving:
    @pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
    def test_takes_no_changes(self, leaving: Organisation, way: Callable[[], Any]) -> None:
        with pytest.raises(OrganisationClosed), enter(leaving, actor=ACTOR):
            way()
        with enter(leaving, actor=ACTOR):
            assert list(Collection.objects.values_list("name", flat=True)) == ["Kept"]

    def test_takes_no_copy(self, leaving: Organisation) -> None:
        with pytest.raises(psycopg.DatabaseError, match="takes no changes"), enter(leaving, actor=ACTOR):
            with connections["default"].cursor() as cursor:
                with cursor.copy("COPY records_record (collection_id) FROM STDIN"):
                    pass

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_takes_no_statement_however_it_is_written(self, leaving: Organisation, statement: str) -> None:
        with pytest.raises(OrganisationClosed), enter(leaving, actor=ACTOR):
            with connections["default"].cursor() as cursor:
                cursor.execute(statement)

    def test_every_table_is_closed_but_those_with_a_reason(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR), connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
                "WHERE tgname = 'enclave_standstill' AND relnamespace = current_schema()::regnamespace"
            )
            closed = {name.strip('"') for (name,) in cursor.fetchall()}
        tables = {
            model._meta.db_table
            for model in apps.get_models(include_auto_created=True)
            if home_of(model._meta.app_label) in (Home.TENANT, Home.TWIN) and model is not LogEntry
        }
        assert tables - closed == set(open_tables())
        assert "records_record" in closed

    def test_people_sign_in_and_are_told(self, leaving: Organisation) -> None:
        client = visitor(leaving.primary_host)
        assert client.post(SIGN_IN, {"login": "ada@pulse.example", "password": PASSWORD}).status_code == 302
        page = client.get("/").content.decode()
        assert "This organisation is leaving" in page

    @pytest.mark.parametrize("headers", [{}, {"hx-request": "true"}])
    def test_a_form_is_refused_with_a_sentence(
        self, leaving: Organisation, client_as: ClientAs, headers: dict[str, str]
    ) -> None:
        client = client_as("ada@pulse.example", leaving)
        answer = client.post("/groups/new/", {"name": "New"}, headers=headers)
        assert answer.status_code == 403
        assert "nothing can be changed any more" in answer.content.decode()

    def test_nor_does_a_page_that_is_overlooked_at_the_door(
        self, leaving: Organisation, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Behind the door stands the database, and the person is told the same."""
        monkeypatch.setattr(standstill, "answers", lambda view_name: True)
        answer = client_as("ada@pulse.example", leaving).post("/groups/new/", {"name": "New"})
        assert answer.status_code in (403, 422)
        assert "nothing can be changed any more" in answer.content.decode()

    @pytest.mark.parametrize("page", ["/", "/people/", "/trail/", "/c/kept/"])
    def test_its_pages_open(self, leaving: Organisation, client_as: ClientAs, page: str) -> None:
        assert client_as("ada@pulse.example", leaving).get(page).status_code == 200

    @pytest.mark.nightly
    def test_all_of_its_pages_open_as_before(self, leaving: Organisation, client_as: ClientAs) -> None:
        names = [name for name, row in TABLE.items() if not row.args and row.lowest <= OWNER]
        pages = [reverse(name, urlconf="config.urls.tenant") for name in names]
        client = client_as("ada@pulse.example", leaving)
        here = {page: client.get(page).status_code for page in pages}
        put(leaving, State.ACTIVE)
        assert {page: client.get(page).status_code for page in pages} == here

    def test_ends_when_it_is_active_again(self, leaving: Organisation) -> None:
        with enter(put(leaving, State.ACTIVE), actor=ACTOR):
            assert make_collection().name == "Made"


class TestGone:
    def test_its_page_says_so_without_asking_its_shard(self, pulse: Organisation) -> None:
        put(pulse, State.GONE)
        answer = visitor(pulse.primary_host).get("/")
        assert answer.status_code == 410
        assert "is gone" in answer.content.decode()
