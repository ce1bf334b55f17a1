"""Bundles, the drill, and who may ask for what."""

import pytest

from tests.restoring.conftest import ONE, TWO, Installation, folder_of, now


@pytest.mark.nightly
def test_from_a_bundle(installation: Installation) -> None:
    """INF-6: what is in the bundle comes back; one operator alone and a wrong address do nothing (MOV-7)."""
    target = folder_of(installation) / "mine"
    installation.manage("dump", "org-0", "--to", str(target))
    then = installation.digests("org-0")["gear_speaker"]
    installation.ask("org-0", "UPDATE gear_speaker SET name = 'spoilt'")
    wish = ("restore", "org-0", "--from-bundle", str(target), "--reason", "lost", "--by", ONE)

    assert "1 entries" in installation.manage(*wish, "--dry-run")
    assert installation.control("SELECT count(*) FROM operations_restore") == [(0,)]
    assert "not a bundle of org-2" in installation.manage(
        "restore", "org-2", "--from-bundle", str(target), "--reason", "lost", "--by", ONE, fails=True
    )
    installation.manage(*wish)
    alone = installation.manage("restore", "org-0", "--approve", "--by", ONE, typed="org-0", fails=True)
    assert "Somebody else" in alone
    wrong = installation.manage("restore", "org-0", "--approve", "--by", TWO, typed="org-1", fails=True)
    assert "not the address" in wrong
    installation.manage("restore", "org-0", "--decline", "--by", ONE)
    assert installation.digests("org-0")["gear_speaker"] != then

    installation.restore("org-0", "--from-bundle", str(target))

    assert installation.digests("org-0")["gear_speaker"] == then
    most = installation.manage("restore", *(f"org-{number}" for number in range(6)), fails=True)
    assert "At most 5" in most
    many = installation.manage("restore", "org-0", "org-1", "--count", "3", fails=True)
    assert "You said --count 3, and named 2" in many


@pytest.mark.nightly
def test_a_spoilt_bundle_touches_nothing(installation: Installation) -> None:
    """A row that is not what was written fails the restore, and the live schema is as it was."""
    target = folder_of(installation) / "mine"
    installation.manage("dump", "org-0", "--to", str(target))
    rows = target / "tables" / "gear_speaker"
    rows.write_bytes(rows.read_bytes().replace(b"tower", b"TOWER"))
    before = installation.digests("org-0")
    words = ("restore", "org-0", "--from-bundle", str(target), "--reason", "lost", "--by", ONE)
    installation.manage(*words)

    said = installation.manage("restore", "org-0", "--approve", "--by", TWO, typed="org-0", fails=True)

    assert "gear_speaker" in said
    assert installation.digests("org-0") == before
    assert installation.ask("org-0", "SELECT count(*) FROM enclave.issued WHERE state = 'loading'") == [(0,)]


@pytest.mark.nightly
def test_a_drill(backed_up: Installation) -> None:
    """F20: all are equal to what the recovered servers have, and nothing is left of them."""
    at = now()
    backed_up.ask("org-0", "UPDATE gear_speaker SET name = 'written since'")

    said = backed_up.manage("restore_drill", "--count", "4", "--at", at.isoformat())

    assert "4 of 4 equal" in said
    left = "SELECT count(*) FROM enclave.issued WHERE state IN ('loading', 'kept')"
    assert [backed_up.ask(slug, left) for slug in ("org-0", "org-1")] == [[(0,)], [(0,)]]
    assert not list((folder_of(backed_up) / "drills").iterdir())
