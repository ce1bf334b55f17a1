"""An organisation that has taken in another one becomes a part of a third one."""

from typing import Any

import pytest

from audit import verifier
from tenants.explicit_ids import content_type_id
from tests.joining.acting import BOTH
from tests.joining.test_annexed import OWNER
from tests.joining.test_merging import APART, HERE, THERE, approve, ask, undo
from tests.leaving.conftest import House
from tests.restoring.conftest import ONE


@pytest.fixture(scope="module")
def chain(house: House) -> dict[str, Any]:
    """The third one is a part of the second one, which is a part of the first one."""
    rooms: dict[str, Any] = {slug: house.do("furnish", slug) for slug in (HERE, THERE, APART)}
    for slug in (APART, THERE):
        house.owner.command("seal", slug)
        rooms[f"id of {slug}"] = house.do("id_of", slug)
    ask(house, APART, THERE)
    approve(house, APART)
    house.owner.command("merge", APART, "--close", "--reason", "it is settled", "--by", ONE)
    ask(house, THERE, HERE)
    approve(house, THERE)
    return rooms


def test_both_trails_are_there_and_can_be_verified(house: House, chain: dict[str, Any]) -> None:
    for slug in (APART, THERE):
        said = house.owner.command("seal", HERE, "--export", "--of", chain[f"id of {slug}"])
        lines = [line for line in said.splitlines() if line.startswith("{")]
        assert len(lines) > 10
        assert verifier.verify(lines).verified


def test_who_was_in_all_three_is_one_person_in_each_trail(house: House, chain: dict[str, Any]) -> None:
    kind, both = content_type_id("identity", "user"), chain[HERE]["both"]
    for slug in (APART, THERE):
        query = f"/trail/?of={chain[f'id of {slug}']}&object={both}&kind={kind}"
        status, page = house.do("look", HERE, OWNER, query)
        assert status == 200
        assert f"added the person Both of {HERE}" in page
    told = house.do("told", HERE)
    assert [one[0] for one in told["records"] if one[1] == BOTH] == [
        f"{slug} Both of {slug}" for slug in (HERE, THERE, APART)
    ]


def test_numbers_of_the_third_one_are_known_by_its_own_keys(house: House, chain: dict[str, Any]) -> None:
    # The second one knew the third one's group by another number; the third one never knew the second one's.
    theirs, further = f"Crew ({THERE})", f"Crew ({APART})"
    for slug, said in ((APART, [further]), (THERE, [theirs, further])):
        names = (
            "SELECT g.name FROM audit_annexed_key AS k JOIN auth_group AS g "
            "ON k.new = lpad(to_hex(g.id::bigint), 32, '0')::uuid "
            f"WHERE k.source = '{chain[f'id of {slug}']}' AND k.type_id = {content_type_id('auth', 'group')} "
            "ORDER BY g.name"
        )
        assert house.made.ask(HERE, names) == [(one,) for one in said]


def test_a_record_has_its_history_from_all_three(house: House, chain: dict[str, Any]) -> None:
    record = chain[APART]["records"][0]
    key = next(one[1] for one in house.do("told", HERE)["collections"] if one[0] == f"Plans ({APART})")
    _, page = house.do("look", HERE, OWNER, f"/c/{key}/r/{record}/history/")
    assert f"in {THERE}" in page
    assert f"in {APART}" in page


def test_undone_both_trails_go_back(house: House, chain: dict[str, Any]) -> None:
    undo(house, THERE)
    for table in ("trail", "event", "private", "segment", "key"):
        assert house.made.ask(HERE, f"SELECT count(*) FROM audit_annexed_{table}") == [(0,)]
    assert house.made.ask(THERE, "SELECT count(*) FROM audit_annexed_trail") == [(1,)]
