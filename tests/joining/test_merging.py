"""One organisation becomes part of another one: what comes, what is said beforehand, and undoing it."""

import json
from pathlib import Path
from typing import Any

import pytest

from operations.joining.clashes import Kind
from permissions.models.roles import ADMIN_ID, OWNER_ID
from tests.joining.acting import BOTH, PASSWORD
from tests.leaving.conftest import House
from tests.restoring.conftest import ONE, TWO

HERE, THERE, APART = "org-0", "org-1", "org-2"
# Signing in, jobs and the trail go on while nobody changes anything.
_ALWAYS = ("audit_", "identity_session", "jobs_", "records_tally", "records_indexstate")


def ask(house: House, absorbed: str = THERE, into: str = HERE) -> str:
    """Ask for a merge as one operator."""
    return house.owner.command("merge", absorbed, "--into", into, "--reason", "they were bought", "--by", ONE)


def approve(house: House, absorbed: str = THERE) -> str:
    """Approve it as another one, and have it done."""
    return house.owner.command("merge", absorbed, "--approve", "--by", TWO, typed=absorbed)


def undo(house: House, absorbed: str = THERE) -> str:
    """Have it undone."""
    return house.owner.command("merge", absorbed, "--undo", "--reason", "they were sold", "--by", ONE)


def result(house: House) -> dict[str, Any]:
    """Return what the newest merge has found and done."""
    ((found,),) = house.made.control("SELECT result FROM operations_merge ORDER BY asked_at DESC LIMIT 1")
    assert isinstance(found, dict)
    return found


def found(house: House) -> set[tuple[object, ...]]:
    """Return the clashes that the newest look has found, by name."""
    ((work,),) = house.made.control("SELECT id FROM operations_merge ORDER BY asked_at DESC LIMIT 1")
    query = f"SELECT kind, noun, name FROM enclave.joined_found WHERE work = '{work}'"
    return set(house.made.ask(HERE, query))


def step(house: House) -> str:
    """Return how far the newest merge is."""
    ((found,),) = house.made.control("SELECT step FROM operations_merge ORDER BY asked_at DESC LIMIT 1")
    return str(found)


def kept(house: House, slug: str) -> dict[str, object]:
    """Return the digests of the tables that nobody writes but by doing something."""
    return {name: one for name, one in house.made.digests(slug).items() if not name.startswith(_ALWAYS)}


@pytest.fixture(scope="module")
def rooms(house: House) -> dict[str, Any]:
    """Two organisations with something of everything, called the same in both."""
    return {slug: house.do("furnish", slug) for slug in (HERE, THERE)}


@pytest.fixture(scope="class")
def before(house: House, rooms: dict[str, Any]) -> dict[str, Any]:
    """How the three were before; then the merge."""
    told: dict[str, Any] = {slug: kept(house, slug) for slug in (HERE, THERE, APART)}
    told["trail"] = house.made.ask(THERE, "SELECT * FROM audit_event ORDER BY epoch, txid, eid")
    ask(house)
    approve(house)
    assert step(house) == "done"
    return told


class TestPlan:
    """What is said beforehand."""

    def test_every_clash_is_listed(self, house: House, rooms: dict[str, Any]) -> None:
        ask(house)
        assert step(house) == "found"
        assert found(house) == {
            (Kind.SAME_PERSON, "people", f"Both of {THERE} ({BOTH})"),
            (Kind.OTHER_NAME, "groups", "Crew"),
            (Kind.OTHER_NAME, "roles", "Stewards"),
            (Kind.OTHER_NAME, "collections", "Plans"),
            (Kind.OTHER_NAME, "collections", "plans"),
            (Kind.OTHER_ROLE, "people", f"Owner (o@{THERE}.example)"),
            (Kind.LEFT_BEHIND, "open invitations", "1"),
            (Kind.LEFT_BEHIND, "mails that wait", "1"),
            (Kind.LEFT_BEHIND, "jobs that have not ended", "3"),
        }

    def test_the_control_plane_is_told_no_names(self, house: House, rooms: dict[str, Any]) -> None:
        said = json.dumps(house.made.control("SELECT * FROM operations_merge"), default=str)
        assert '"same_person", "noun": "people", "count": "1"' in said.replace('\\"', '"')
        assert BOTH not in said
        assert "Stewards" not in said
        house.owner.command("merge", THERE, "--cancel", "--reason", "only looking", "--by", ONE)

    def test_looking_changes_nothing(self, house: House, rooms: dict[str, Any]) -> None:
        before = {slug: house.made.digests(slug) for slug in (HERE, THERE, APART)}
        ask(house)
        house.owner.command("merge", THERE, "--cancel", "--reason", "only looking", "--by", ONE)
        assert {slug: house.made.digests(slug) for slug in (HERE, THERE, APART)} == before
        loaded = "SELECT count(*) FROM enclave.issued WHERE state = 'loading'"
        assert house.made.ask(HERE, loaded) == [(0,)]

    def test_something_that_only_one_may_have_stops_it(self, house: House, rooms: dict[str, Any]) -> None:
        house.do("clash", THERE, f"{HERE} 1")
        try:
            words = ["merge", THERE, "--into", HERE, "--reason", "they were bought", "--by", ONE]
            house.owner.tell(json.dumps(words))
        finally:
            house.do("clash", THERE, f"{THERE} 1")
        assert [one[1:] for one in found(house) if one[0] == Kind.STOPS] == [("speakers", f"{HERE} 1")]
        assert step(house) == "failed"

    def test_an_id_that_is_in_both_stops_it(self, house: House, rooms: dict[str, Any]) -> None:
        ((key,),) = house.made.ask(THERE, "SELECT id FROM gear_speaker LIMIT 1")
        house.made.ask(
            HERE,
            "INSERT INTO gear_speaker (id, name, serial, state, notes) "
            f"VALUES ('{key}', 'another', 'another', 'ok', '')",
        )
        try:
            words = ("merge", THERE, "--into", HERE, "--reason", "bought", "--by", ONE)
            assert "have to be settled first (speakers)" in house.refused(*words)
            assert [one[1:] for one in found(house) if one[0] == Kind.STOPS] == [("speakers", str(key))]
        finally:
            house.made.ask(HERE, f"DELETE FROM gear_speaker WHERE id = '{key}'")

    def test_two_people_who_would_become_one_stop_it(self, house: House, rooms: dict[str, Any]) -> None:
        # One has the id of somebody here, another one that person's address.
        twin = rooms[HERE]["own"]
        house.made.ask(
            THERE,
            "INSERT INTO identity_user (id, email, name, password, is_active, is_staff, is_superuser, "
            "joined_at, session_version) "
            f"VALUES ('{twin}', 'twin@{THERE}.example', 'Twin', '!', true, false, false, now(), 0)",
        )
        rename = "UPDATE identity_user SET email = '{}' WHERE email = '{}'"
        house.made.ask(THERE, rename.format(f"own@{HERE}.example", BOTH))
        try:
            words = ("merge", THERE, "--into", HERE, "--reason", "bought", "--by", ONE)
            assert "have to be settled first (people)" in house.refused(*words)
        finally:
            house.made.ask(THERE, rename.format(BOTH, f"own@{HERE}.example"))
            house.made.ask(THERE, f"DELETE FROM identity_user WHERE id = '{twin}'")

    def test_who_has_not_had_its_migrations_takes_nobody_in(
        self, house: House, rooms: dict[str, Any]
    ) -> None:
        taken = (
            "WITH gone AS (DELETE FROM django_migrations WHERE app = 'gear' RETURNING *) SELECT * FROM gone"
        )
        ((_, app, name, applied),) = house.made.ask(HERE, taken)
        words = ("merge", THERE, "--into", HERE, "--reason", "bought", "--by", ONE)
        try:
            assert "has not had its migrations" in house.refused(*words)
        finally:
            again = (
                f"INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}', '{applied}')"
            )
            house.made.ask(HERE, again)
        assert house.made.ask(HERE, "SELECT count(*) FROM enclave.issued WHERE state = 'loading'") == [(0,)]

    def test_who_would_have_power_here_is_named(self, house: House, rooms: dict[str, Any]) -> None:
        deputy = house.do("empower", APART)
        house.made.ask(APART, "UPDATE permissions_permissionsettings SET guest_ceiling = '{}'")
        ask(house, APART)
        assert {one for one in found(house) if one[0] == Kind.POWER} == {
            (Kind.POWER, "people", f"Deputy ({deputy})"),
            (Kind.POWER, "roles", "Deputies"),
            (Kind.POWER, "guests", "1"),
        }
        house.owner.command("merge", APART, "--cancel", "--reason", "only looking", "--by", ONE)


class TestMerged:
    """What is there afterwards. The tests of this class follow one merge, in their order."""

    def test_people_come_and_are_one_if_they_were(self, house: House, before: dict[str, Any]) -> None:
        told = house.do("told", HERE)
        assert told["roles"] == {
            f"o@{HERE}.example": "Owner",
            f"o@{THERE}.example": "Admin",
            f"own@{HERE}.example": "Stewards",
            f"own@{THERE}.example": f"Stewards ({THERE})",
            BOTH: "Member",
        }
        assert [f"Crew ({THERE})", BOTH] in told["groups"]
        assert [f"Crew ({THERE})", f"own@{THERE}.example"] in told["groups"]

    def test_records_come_and_name_them(self, house: House, before: dict[str, Any]) -> None:
        told = house.do("told", HERE)
        assert told["collections"] == [["Plans", "plans", 2], [f"Plans ({THERE})", "plans-2", 2]]
        # The person in the value of a field, and the one who made it.
        assert [f"{THERE} Both of {THERE}", BOTH, BOTH] in told["records"]
        assert [f"{THERE} Own of {THERE}", f"own@{THERE}.example", BOTH] in told["records"]

    def test_what_names_a_person_in_a_filter_names_who_they_are(
        self, house: House, before: dict[str, Any], rooms: dict[str, Any]
    ) -> None:
        assert all(str(rooms[HERE]["both"]) in view[2] for view in house.do("told", HERE)["views"])

    def test_files_can_be_fetched(self, house: House, before: dict[str, Any], rooms: dict[str, Any]) -> None:
        record, file = rooms[THERE]["records"][0], rooms[THERE]["file"]
        status, _ = house.do("look", HERE, f"o@{HERE}.example", f"/c/plans-2/r/{record}/files/{file}/")
        assert status == 302
        folder = Path(house.made.variables["ENCLAVE_FILES"]) / house.made.schemas[HERE][1] / "files"
        assert all((folder / path).exists() for _, path in house.do("told", HERE)["files"])

    def test_second_steps_can_still_be_read(
        self, house: House, before: dict[str, Any], rooms: dict[str, Any]
    ) -> None:
        assert house.do("code_of", HERE, f"own@{THERE}.example") == rooms[THERE]["secret"]

    def test_the_other_one_lets_nobody_in(self, house: House, before: dict[str, Any]) -> None:
        status, page = house.do("visits", THERE)
        assert status == 410
        assert HERE in page

    def test_others_notice_nothing(self, house: House, before: dict[str, Any]) -> None:
        assert kept(house, APART) == before[APART]

    def test_the_one_that_came_is_as_it_was(self, house: House, before: dict[str, Any]) -> None:
        assert kept(house, THERE) == before[THERE]

    def test_both_trails_are_whole(self, house: House, before: dict[str, Any], tmp_path: Path) -> None:
        columns = "epoch, txid, eid, at_us, code, payload, private_commitment"
        own = f"SELECT {columns} FROM audit_event ORDER BY 1, 2, 3"
        attached = own.replace("audit_event", "audit_annexed_event")
        assert house.made.ask(HERE, attached) == house.made.ask(THERE, own)
        assert len(house.made.ask(HERE, attached)) == len(before["trail"]) + 1
        ((said,),) = house.made.ask(
            HERE, "SELECT count(*) FROM audit_event WHERE code = 'organisation.absorbed'"
        )
        assert said == 1

    def test_every_row_that_came_stands_in_the_trail(self, house: House, before: dict[str, Any]) -> None:
        ((came,),) = house.made.ask(
            HERE,
            "SELECT count(*) FROM audit_event "
            "WHERE code = 'records.record.added' AND payload LIKE '%operator%'",
        )
        assert came == 2

    def test_it_cannot_be_made_active_meanwhile(self, house: House, before: dict[str, Any]) -> None:
        assert "part of" in house.do("state", THERE, "active")

    def test_nobody_undoes_it_so_that_nobody_owns_what_is_left(
        self, house: House, before: dict[str, Any], rooms: dict[str, Any]
    ) -> None:
        owner, came = rooms[HERE]["owner"], rooms[THERE]["owner"]
        swap = "UPDATE permissions_membership SET role_id = '{}' WHERE user_id = '{}' AND ends_at IS NULL"
        house.made.ask(HERE, swap.format(ADMIN_ID, owner))
        house.made.ask(HERE, swap.format(OWNER_ID, came))
        words = ("merge", THERE, "--undo", "--reason", "sold", "--by", ONE)
        try:
            assert "Nobody would own" in house.refused(*words)
            assert step(house) == "done"
        finally:
            house.made.ask(HERE, swap.format(ADMIN_ID, came))
            house.made.ask(HERE, swap.format(OWNER_ID, owner))

    def test_undone_it_is_as_before(self, house: House, before: dict[str, Any]) -> None:
        undo(house)
        assert step(house) == "undone"
        assert result(house)["stay"] == {}
        assert kept(house, HERE) == before[HERE]
        assert kept(house, THERE) == before[THERE]
        assert house.do("enters", THERE, BOTH, f"{PASSWORD} {THERE}")
        assert house.made.ask(HERE, "SELECT count(*) FROM audit_annexed_event") == [(0,)]


class TestWorkedOn:
    """Undoing a merge after people have worked on what came."""

    def test_their_work_stays(self, house: House, rooms: dict[str, Any]) -> None:
        ask(house)
        approve(house)
        # Who came signs in as before; who was there, as there.
        assert house.do("enters", HERE, f"own@{THERE}.example", PASSWORD)
        assert house.do("enters", HERE, BOTH, f"{PASSWORD} {HERE}")
        assert not house.do("enters", HERE, BOTH, f"{PASSWORD} {THERE}")
        # One has a file, and one has none.
        record, other = rooms[THERE]["records"]
        house.do("rename", HERE, other, "Changed as well")
        house.do("rename", HERE, record, "Changed since")
        undo(house)
        told = house.do("told", HERE)
        named = [one[0] for one in told["records"]]
        assert [name for name in named if THERE in name or "Changed" in name] == [
            "Changed as well",
            "Changed since",
        ]
        assert [f"Plans ({THERE})", "plans-2", 2] in told["collections"]
        assert result(house)["stay"]["records"] == 2
        assert result(house)["stay"]["record files"] == 1
        status, page = house.do("look", HERE, f"o@{HERE}.example", f"/c/plans-2/r/{record}/")
        assert status == 200
        assert "Changed since" in page
        # Nobody of the others gets in, and they have their organisation back.
        assert not [email for email in told["active"] if THERE in email]
        assert house.do("enters", THERE, f"own@{THERE}.example", PASSWORD)
