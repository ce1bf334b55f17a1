"""INF-6: one organisation to a moment, from base back-up and log, while the others live."""

import pytest

from tests.restoring.conftest import ONE, TWO, Installation, folder_of, now

# What a restore itself writes into the organisation.
TOUCHED = {
    "audit_event",
    "audit_private",
    "audit_epoch",
    "jobs_job",
    "jobs_outgoingmail",
    "identity_session",
    "accounts_invitation",
}


@pytest.mark.nightly
def test_to_a_moment_and_back(backed_up: Installation) -> None:
    """INF-6: digests equal at T; the trail shows the restore; sessions are gone; others are untouched."""
    slug = "org-0"
    backed_up.ask(
        slug,
        "INSERT INTO identity_session (digest, host, version, data, created_at, last_seen_at, "
        "idle, idle_until, ends_at, agent) VALUES ('\\x01', 'h', 0, '', now(), now(), "
        "'1 h', now(), now(), '')",
    )
    then, at = backed_up.digests(slug), now()
    backed_up.ask(slug, "UPDATE gear_speaker SET name = 'spoilt'")
    backed_up.ask("org-1", "UPDATE gear_speaker SET name = 'written since'")
    spoilt, other = backed_up.digests(slug), backed_up.digests("org-1")
    assert spoilt["gear_speaker"] != then["gear_speaker"]

    said = backed_up.restore(slug, "--at", at.isoformat())

    assert "Done" in said
    after = backed_up.digests(slug)
    assert {k: v for k, v in after.items() if k not in TOUCHED} == {
        k: v for k, v in then.items() if k not in TOUCHED
    }
    assert backed_up.digests("org-1") == other
    assert backed_up.ask(slug, "SELECT count(*) FROM identity_session") == [(0,)]
    events = backed_up.ask(
        slug,
        "SELECT epoch, payload::jsonb->'by'->>'label', payload::jsonb->'details'->>'reason' "
        "FROM audit_event WHERE code = 'organisation.restored'",
    )
    assert events == [(2, TWO, "a lost table")]
    ((kept,),) = backed_up.control("SELECT other_schema FROM operations_restore")
    closed = backed_up.ask(slug, f"SELECT name FROM {kept}.gear_speaker")
    assert closed == [("spoilt",)]
    assert backed_up.ask(slug, f"SELECT pg_has_role('enclave_app', '{kept}', 'SET')") == [(False,)]

    backed_up.manage("restore", slug, "--undo", "--reason", "it was right", "--by", ONE, typed=slug)

    assert backed_up.digests(slug)["gear_speaker"] == spoilt["gear_speaker"]
    assert backed_up.ask(slug, "SELECT max(epoch) FROM audit_epoch") == [(3,)]
    assert not list((folder_of(backed_up) / "restores").iterdir())
