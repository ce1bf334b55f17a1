"""A part of an organisation becomes an organisation of its own."""

import json
from typing import Any

import pytest

from accounts.models.profile import PROFILE_ID
from operations.joining.clashes import Kind
from tests.joining.acting import BOTH, PASSWORD
from tests.leaving.conftest import House
from tests.restoring.conftest import ONE, TWO

HERE, NEW, APART = "org-0", "plans-only", "org-1"
OWN, OWNER, STAYS = f"own@{HERE}.example", f"o@{HERE}.example", f"stays@{HERE}.example"
# Signing in, jobs and the trail go on while nobody changes anything.
_ALWAYS = ("audit_", "identity_session", "jobs_", "records_tally", "records_indexstate")


def words(**changed: Any) -> list[str]:
    """Return the command that asks for the split of these tests, with parts of it changed."""
    said: dict[str, Any] = {
        "--name": "Plans only",
        "--address": NEW,
        "--owner": BOTH,
        "--collection": "plans",
        "--person": OWN,
        "--both": BOTH,
        "--reason": "they go their own way",
        "--by": ONE,
        **{f"--{name}": value for name, value in changed.items()},
    }
    return ["split", HERE, *(part for name, value in said.items() for part in (name, value))]


def newest(house: House) -> tuple[Any, ...]:
    """Return id, step and result of the newest split."""
    ((*found,),) = house.made.control(
        "SELECT id, step, result FROM operations_split ORDER BY asked_at DESC LIMIT 1"
    )
    return tuple(found)


def kept(house: House, slug: str) -> dict[str, object]:
    """Return the digests of the tables that nobody writes but by doing something."""
    return {name: one for name, one in house.made.digests(slug).items() if not name.startswith(_ALWAYS)}


@pytest.fixture(scope="module")
def rooms(house: House) -> dict[str, Any]:
    """An organisation with two collections, one of which links to the other, and settings of its own."""
    made = house.do("furnish", HERE)
    house.made.ask(HERE, "UPDATE permissions_permissionsettings SET guest_ceiling = '{}'")
    house.made.ask(
        HERE,
        "INSERT INTO accounts_organisationprofile "
        "(id, display_name, mark, accent, logo, logo_digest, time_zone) "
        f"VALUES ('{PROFILE_ID}', 'Here', 'H', '#123456', NULL, '', 'Europe/Oslo')",
    )
    return {**made, **house.do("extend", HERE, made["records"][0])}


@pytest.fixture(scope="class")
def before(house: House, rooms: dict[str, Any]) -> dict[str, Any]:
    """How it was before; then the split."""
    told: dict[str, Any] = {slug: kept(house, slug) for slug in (HERE, APART)}
    house.owner.command(*words())
    house.owner.command("split", HERE, "--approve", "--by", TWO, typed=HERE)
    assert newest(house)[1] == "done"
    ((alias, schema),) = house.made.control(
        f"SELECT shard_id, schema_name FROM tenants_organisation WHERE slug = '{NEW}'"
    )
    house.made.schemas[NEW] = (str(alias), str(schema))
    return told


class TestPlan:
    """What is said beforehand."""

    def test_what_has_two_claims_is_listed(self, house: House, rooms: dict[str, Any]) -> None:
        before = kept(house, HERE)
        house.owner.command(*words(), "--dry-run")
        work, step, result = newest(house)
        query = f"SELECT kind, noun, name FROM enclave.joined_found WHERE work = '{work}'"
        assert set(house.made.ask(HERE, query)) == {
            (Kind.IN_BOTH, "people", f"Both of {HERE} ({BOTH})"),
            (Kind.IN_BOTH, "groups", "Crew"),
            # They made the collection, and its record.
            (Kind.BY_NAME, "people", f"Owner ({OWNER})"),
            (Kind.CROSSES, "links", "Shows, Plan (to Plans)"),
            (Kind.LOSES, "people", f"Stays ({STAYS})"),
            (Kind.LEFT_BEHIND, "speakers", "1"),
        }
        assert step == "cancelled"
        assert kept(house, HERE) == before
        assert BOTH not in json.dumps(result)

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"person": OWNER}, "people"),
            ({"owner": STAYS}, "people"),
            ({"address": APART}, "taken"),
            ({"collection": "nothing"}, "Not there: nothing"),
            ({"as-of": "2001-01-01 12:00"}, "from"),
            ({"as-of": "2999-01-01 12:00"}, "up to now"),
            ({"as-of": "yesterday"}, "no time"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, house: House, rooms: dict[str, Any], changed: dict[str, str], why: str
    ) -> None:
        assert why in house.refused(*words(**changed))
        assert house.made.control(f"SELECT count(*) FROM tenants_organisation WHERE slug = '{NEW}'") == [(0,)]

    def test_work_on_what_goes_has_to_end_first(self, house: House, rooms: dict[str, Any]) -> None:
        job = house.do("work", HERE, str(rooms["collection"]))
        try:
            assert "jobs" in house.refused(*words())
        finally:
            house.made.ask(HERE, f"DELETE FROM jobs_job WHERE id = '{job}'")


class TestSplit:
    """What is there afterwards. The tests of this class follow one split, in their order."""

    def test_each_record_is_in_one_place(self, house: House, before: dict[str, Any]) -> None:
        there, here = house.do("told", NEW), house.do("told", HERE)
        assert there["collections"] == [["Plans", "plans", 2]]
        assert here["collections"] == [["Shows", "shows", 1]]
        assert [one[0] for one in there["records"]] == [f"{HERE} Both of {HERE}", f"{HERE} Own of {HERE}"]
        assert [one[1] for one in there["records"]] == [BOTH, OWN]

    def test_people_are_where_they_belong(self, house: House, before: dict[str, Any]) -> None:
        there, here = house.do("told", NEW), house.do("told", HERE)
        assert there["roles"] == {BOTH: "Owner", OWN: "Stewards"}
        assert here["roles"] == {OWNER: "Owner", BOTH: "Member", STAYS: "Guest"}
        assert ["Crew", OWN] in there["groups"]
        assert here["groups"] == [["Crew", BOTH]]
        assert OWN not in here["active"]

    def test_who_went_signs_in_there_and_not_here(self, house: House, before: dict[str, Any]) -> None:
        assert house.do("enters", NEW, OWN, PASSWORD)
        assert not house.do("enters", HERE, OWN, PASSWORD)

    def test_its_history_came_with_it(
        self, house: House, before: dict[str, Any], rooms: dict[str, Any]
    ) -> None:
        about = "SELECT count(*) FROM {} WHERE object_id = '{}'"
        record = rooms["records"][0]
        was = house.made.ask(HERE, about.format("audit_event", record))
        assert house.made.ask(NEW, about.format("audit_annexed_event", record)) == was != [(0,)]
        # Letter by letter what the other one's trail says, and nothing that was only done to a copy.
        written = "SELECT epoch, txid, eid, payload FROM {} WHERE object_id = '{}' ORDER BY 1, 2, 3"
        there = house.made.ask(NEW, written.format("audit_annexed_event", rooms["collection"]))
        assert set(there) <= set(house.made.ask(HERE, written.format("audit_event", rooms["collection"])))
        # Of what stays, nothing.
        for stays in (rooms["record"], rooms["shows"], rooms["stays"]):
            assert house.made.ask(NEW, about.format("audit_annexed_event", stays)) == [(0,)]
        hidden = "SELECT count(*) FROM audit_annexed_private WHERE value LIKE '%Opening%'"
        assert house.made.ask(NEW, hidden) == [(0,)]

    def test_it_begins_as_careful_with_guests(self, house: House, before: dict[str, Any]) -> None:
        settings = "SELECT guest_ceiling FROM permissions_permissionsettings"
        assert house.made.ask(NEW, settings) == house.made.ask(HERE, settings) == [([],)]
        look = "SELECT time_zone, accent, display_name FROM accounts_organisationprofile"
        assert house.made.ask(NEW, look) == [("Europe/Oslo", "#123456", "")]

    def test_what_went_cannot_be_opened_here(
        self, house: House, before: dict[str, Any], rooms: dict[str, Any]
    ) -> None:
        assert house.do("look", HERE, OWNER, f"/c/plans/r/{rooms['records'][0]}/")[0] == 404
        assert house.do("look", NEW, BOTH, f"/c/plans/r/{rooms['records'][0]}/")[0] == 200

    def test_others_notice_nothing(self, house: House, before: dict[str, Any]) -> None:
        assert kept(house, APART) == before[APART]

    def test_undone_it_is_as_before(self, house: House, before: dict[str, Any]) -> None:
        house.owner.command("split", HERE, "--undo", "--reason", "they come back", "--by", ONE)
        assert newest(house)[1] == "undone"
        # The trail says that they were put away and taken out again; nothing else is another.
        assert kept(house, HERE) == before[HERE]
        assert house.do("visits", NEW)[0] == 410
        assert house.do("enters", HERE, OWN, PASSWORD)


class TestClosed:
    """A split that is for good."""

    def test_what_went_is_deleted_here(self, house: House, rooms: dict[str, Any]) -> None:
        house.owner.command(*words(address="plans-again"))
        house.owner.command("split", HERE, "--approve", "--by", TWO, typed=HERE)
        house.owner.command("split", HERE, "--close", "--reason", "it is settled", "--by", ONE)
        assert newest(house)[1] == "closed"
        left = "SELECT count(*) FROM records_record WHERE collection_id = '{}'"
        assert house.made.ask(HERE, left.format(rooms["collection"])) == [(0,)]
        assert house.made.ask(HERE, left.format(rooms["shows"])) == [(1,)]
        told = house.do("told", "plans-again")
        assert told["collections"] == [["Plans", "plans", 2]]
        assert house.made.ask(HERE, "SELECT count(*) FROM enclave.joined_pick") == [(0,)]
