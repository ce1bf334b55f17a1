"""An owner divides an organisation on its own pages, and an operator approves it."""

import json
from typing import Any

import psycopg
import pytest

from tests.joining.acting import BOTH
from tests.joining.test_splitting import HERE, NEW, OWNER, kept, newest
from tests.leaving.conftest import House
from tests.restoring.conftest import TWO

LEFT = "t_left0000000000000000"


@pytest.fixture(scope="module")
def divided(house: House) -> dict[str, Any]:
    """What the owner saw; then the operators were asked."""
    made = house.do("furnish", HERE)
    before = kept(house, HERE)
    # A look whose worker was killed, and which was given up then.
    house.do("choose", HERE, BOTH, made["collection"])
    owner = house.made.variables["OWNER_SHARD_1_DATABASE_URL"]
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("SELECT enclave.begin_loading(%s)", [LEFT])
    house.made.ask(
        HERE,
        "UPDATE jobs_job SET state = 'failed', begun_at = now(), ended_at = now(), "
        f"checkpoint = jsonb_build_object('staged', '{LEFT}', 'alias', 'shard_1') "
        "WHERE kind = 'operations.division'",
    )
    page = house.do("choose", HERE, BOTH, made["collection"])
    house.owner.command("work", HERE)
    seen = house.do("look", HERE, OWNER, page)[1]
    return {
        "seen": seen,
        "same": kept(house, HERE) == before,
        "asked": house.do("press", HERE, f"{page}ask/"),
    }


def test_the_owner_sees_by_name_what_it_means(house: House, divided: dict[str, Any]) -> None:
    for said in ("Is in both afterwards", f"Both of {HERE}", "Comes by name only", f"Own of {HERE}", "Crew"):
        assert said in divided["seen"]
    assert divided["asked"] == 302


def test_looking_changes_nothing_and_leaves_no_copy(house: House, divided: dict[str, Any]) -> None:
    assert divided["same"]
    left = "SELECT count(*) FROM enclave.issued WHERE state IN ('loading', 'kept')"
    assert house.made.ask(HERE, left) == [(0,)]


def test_the_control_plane_is_told_no_names(house: House, divided: dict[str, Any]) -> None:
    house.owner.command("split", "--resume")
    assert newest(house)[1] == "found"
    said = json.dumps(house.made.control("SELECT * FROM operations_split"), default=str)
    assert "Crew" not in said
    assert BOTH not in said


def test_a_second_person_has_to_approve_it(house: House, divided: dict[str, Any]) -> None:
    house.owner.command("split", HERE, "--approve", "--by", TWO, typed=HERE)
    assert newest(house)[1] == "done"
    assert house.do("told", NEW)["roles"] == {BOTH: "Owner"}
    status, page = house.do("look", HERE, OWNER, "/divide/")
    assert status == 200
    assert "It is done." in page
    # It leads to the new one.
    assert f'href="http://{NEW}.' in page
