"""One small organisation goes back to a moment while a process serves it and another one."""

import json
from collections.abc import Iterator

import pytest

from tests.restoring.conftest import ONE, TWO, Installation, installed, now
from tests.restoring.test_restoring import TOUCHED


@pytest.fixture
def empty() -> Iterator[Installation]:
    """An installation without organisations: the process that serves them makes them."""
    with installed(0) as made:
        yield made


def test_back_to_a_moment(empty: Installation) -> None:
    """INF-6: digests equal at T, the other one untouched, sessions of before over, the trail says so.

    Whoever served the organisation before believes nothing of it any more: it has another epoch.
    """
    with (
        empty.told("commanding", login="owner") as owner,
        empty.told("visiting", "2", login="app") as visits,
    ):
        empty.schemas.update({slug: (alias, schema) for slug, alias, schema in visits.hear()})
        owner.command("backup", "--shard", "shard_1")
        visits.tell("look")
        first = visits.tell("look")
        assert first == {slug: {"page": 200, "epoch": 1, "asked": 0} for slug in ("org-0", "org-1")}
        then, at = empty.digests("org-0"), now().isoformat()
        empty.ask("org-0", "UPDATE gear_speaker SET name = 'spoilt'")
        other = empty.digests("org-1")

        owner.command("restore", "org-0", "--at", at, "--reason", "a lost table", "--by", ONE)
        assert "Done" in owner.command("restore", "org-0", "--approve", "--by", TWO, typed="org-0")

        after = empty.digests("org-0")
        assert {name for name in then if after[name] != then[name]} <= TOUCHED
        assert empty.digests("org-1") == other
        seen = visits.tell("look")
        assert seen["org-1"] == first["org-1"]
        assert seen["org-0"] == {"page": 302, "epoch": 2, "asked": 1}
    ((said,),) = empty.ask("org-0", "SELECT payload FROM audit_event WHERE code = 'organisation.restored'")
    assert json.loads(str(said))["by"]["label"] == TWO
