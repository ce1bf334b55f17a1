"""A restore that is killed at every step comes to its end all the same."""

import time

import pytest

from tests.restoring.conftest import ONE, TWO, Installation, now


@pytest.mark.nightly
def test_killed_at_each_step(backed_up: Installation) -> None:
    """INF-6: killed while it recovers, loads and exchanges, it is resumed, and done once."""
    then, at = backed_up.digests("org-0")["gear_speaker"], now()
    backed_up.ask("org-0", "UPDATE gear_speaker SET name = 'spoilt'")
    words = ("restore", "org-0", "--at", at.isoformat(), "--reason", "lost", "--by", ONE)
    backed_up.manage(*words)

    command: tuple[str, ...] = ("restore", "org-0", "--approve", "--by", TWO)
    for step in ("approved", "read", "loaded"):
        process = backed_up.start(*command, typed="org-0")
        reached = f"SELECT 1 FROM operations_restore WHERE step IN ('{step}', 'done')"
        while process.poll() is None and not backed_up.control(reached):
            time.sleep(0.005)
        process.kill()
        process.communicate()
        command = ("restore", "--resume")
    backed_up.manage(*command)

    assert backed_up.control("SELECT step FROM operations_restore") == [("done",)]
    assert backed_up.digests("org-0")["gear_speaker"] == then
    assert backed_up.ask(
        "org-0", "SELECT count(*) FROM audit_event WHERE code = 'organisation.restored'"
    ) == [(1,)]
