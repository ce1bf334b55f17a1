"""The trail of an organisation that became a part of another one: read, verified and erased there."""

import re
from typing import Any

import pytest

from audit import verifier
from tenants.explicit_ids import content_type_id
from tests.joining.acting import BOTH
from tests.joining.test_merging import APART, HERE, THERE, approve, ask
from tests.leaving.conftest import House

OWNER = f"o@{HERE}.example"


@pytest.fixture(scope="module")
def merged(house: House) -> dict[str, Any]:
    """Two organisations of which one has become a part of the other; its trail was sealed."""
    rooms: dict[str, Any] = {slug: house.do("furnish", slug) for slug in (HERE, THERE)}
    # So many that they are copied in several turns, with keys of three digits and of four.
    house.made.ask(
        THERE,
        "INSERT INTO gear_speaker (name, serial, state, notes) "
        "SELECT 'tower', 'many ' || n, 'ok', '' FROM generate_series(1, 1500) AS n",
    )
    # In a table without rows in the other one, where the first number was given out by looking.
    house.made.ask(
        THERE,
        "INSERT INTO identity_user_groups (id, user_id, group_id) SELECT 2, person.id, crew.id "
        f"FROM identity_user AS person, auth_group AS crew WHERE person.email = 'own@{THERE}.example'",
    )
    house.owner.command("seal", THERE)
    rooms["lines"] = _lines(house, THERE)
    ask(house)
    approve(house)
    rooms["id"] = house.do("id_of", THERE)
    return rooms


def _lines(house: House, *words: str) -> list[str]:
    said = house.owner.command("seal", "--export", *words)
    return [line for line in said.splitlines() if line.startswith("{")]


class TestPage:
    """The page of the trail."""

    def test_both_can_be_read(self, house: House, merged: dict[str, Any]) -> None:
        status, own = house.do("look", HERE, OWNER, "/trail/")
        assert status == 200
        assert f"/trail/?of={merged['id']}" in own
        status, other = house.do("look", HERE, OWNER, f"/trail/?of={merged['id']}")
        assert status == 200
        assert f"The trail of {THERE}, which became a part of this organisation" in other
        assert f"made this organisation a part of {HERE}" in other
        assert f"made this organisation a part of {HERE}" not in own

    def test_entries_lead_to_entries_of_the_same_trail(self, house: House, merged: dict[str, Any]) -> None:
        _, page = house.do("look", HERE, OWNER, f"/trail/?of={merged['id']}")
        url = re.search(rf'href="(/trail/\d+/\d+/\d+/\?of={merged["id"]})"', page)
        assert url is not None
        status, entry = house.do("look", HERE, OWNER, url[1])
        assert status == 200
        assert "In the trail of" in entry
        assert house.do("look", HERE, OWNER, url[1].partition("?")[0])[0] in (200, 404)

    def test_who_became_one_with_another_is_found_as_that_one(
        self, house: House, merged: dict[str, Any]
    ) -> None:
        kind, both = content_type_id("identity", "user"), merged[HERE]["both"]
        query = f"/trail/?of={merged['id']}&object={both}&kind={kind}"
        status, page = house.do("look", HERE, OWNER, query)
        assert status == 200
        # By the name that the person has here.
        assert f"added the person Both of {HERE}" in page

    @pytest.mark.parametrize(
        "said", ["01a21eba-a145-7455-a4c3-8e860166d69f", "nothing", "'; DROP TABLE audit_event; --"]
    )
    def test_another_trail_than_one_that_is_here_is_not_found(
        self, house: House, merged: dict[str, Any], said: str
    ) -> None:
        assert house.do("look", HERE, OWNER, f"/trail/?of={said}")[0] == 404

    def test_others_do_not_have_it(self, house: House, merged: dict[str, Any]) -> None:
        assert house.do("look", APART, f"o@{APART}.example", f"/trail/?of={merged['id']}")[0] == 404
        assert "?of=" not in house.do("look", APART, f"o@{APART}.example", "/trail/")[1]

    def test_who_may_not_see_the_trail_sees_neither(self, house: House, merged: dict[str, Any]) -> None:
        assert house.do("look", HERE, BOTH, f"/trail/?of={merged['id']}")[0] == 403

    def test_a_record_has_its_history_from_before(self, house: House, merged: dict[str, Any]) -> None:
        record = merged[THERE]["records"][0]
        status, page = house.do("look", HERE, OWNER, f"/c/plans-2/r/{record}/history/")
        assert status == 200
        assert f"in {THERE}" in page


class TestProof:
    """What a third party can verify."""

    def test_the_lines_are_those_that_it_had(self, house: House, merged: dict[str, Any]) -> None:
        kept = _lines(house, HERE, "--of", merged["id"])
        assert verifier.verify(kept).verified
        # What was written after the seal is there as well: that it became a part of another one.
        assert set(merged["lines"]) < set(kept)

    def test_a_changed_byte_is_noticed(self, house: House, merged: dict[str, Any]) -> None:
        kept = _lines(house, HERE, "--of", merged["id"])
        place = next(number for number, line in enumerate(kept) if "auth.group.added" in line)
        kept[place] = kept[place].replace("Crew", "Cres")
        assert not verifier.verify(kept).verified

    def test_who_is_erased_is_erased_there_too(self, house: House, merged: dict[str, Any]) -> None:
        about = f"SELECT count(*) FROM audit_annexed_private WHERE subject = '{merged[THERE]['both']}'"
        assert house.made.ask(HERE, about) != [(0,)]
        house.do("erase", HERE, BOTH)
        assert house.made.ask(HERE, about) == [(0,)]
        assert verifier.verify(_lines(house, HERE, "--of", merged["id"])).verified
        assert verifier.verify(_lines(house, HERE)).verified


def test_every_number_that_came_has_a_key(house: House, merged: dict[str, Any]) -> None:
    # One that has the same number here as well: without a key it would be something that did not come.
    written = "lpad(to_hex(k.{}::bigint), 32, '0')::uuid"
    numbers = "FROM enclave.joined_key AS k WHERE k.old ~ '^[0-9]+$'"
    same = house.made.ask(HERE, f"SELECT count(*) {numbers} AND k.old = k.new")
    missing = house.made.ask(
        HERE,
        f"SELECT count(*) {numbers} AND NOT EXISTS (SELECT FROM audit_annexed_key AS kept "
        f"WHERE kept.type_id = k.type_id AND kept.source = '{merged['id']}' "
        f"AND kept.old = {written.format('old')} AND kept.new = {written.format('new')})",
    )
    assert same != [(0,)]
    assert missing == [(0,)]
