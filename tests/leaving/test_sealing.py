"""Which tables of an export are sealed, and that they come back whole."""

import re
from pathlib import Path
from typing import Any

import pytest

from audit.checks import tenant_models
from operations.leaving import archive, sealing
from operations.leaving.problems import CannotReturn

SOUNDS_SECRET = re.compile(r"password|secret|token|hash|digest|credential|private|data$")
# What sounds like one and is none, or is one that opens nothing in an export.
KNOWN = {
    "accounts_organisationprofile.logo_digest": "of the logo",
    **{
        f"audit_annexed_{column}": "as in the trail itself"
        for column in (
            *("event.private_commitment", "event.private_ref", "segment.header_hash"),
            *("segment.prev_header_hash", "segment.trigger_digest"),
        )
    },
    "audit_event.private_commitment": "of values that are in the export, too",
    "audit_event.private_ref": "leads to those values",
    "audit_segment.header_hash": "of a seal",
    "audit_segment.prev_header_hash": "of a seal",
    "audit_segment.trigger_digest": "of the triggers of the trail",
    "auditlog_logentry.additional_data": "as of before there was the trail; masked the same",
    "auditlog_logentry.serialized_data": "as of before there was the trail; masked the same",
    "jobs_job.lease_token": "a number that counts who worked on it",
    "records_import.digest": "of a file that was imported",
    "records_importedrow.digest": "of its rows",
    "records_undostep.token": "names a change that can be taken back by who made it, signed in",
    "records_uniquevalue.digest": "of values of records",
}


def test_columns_that_sound_like_secrets_are_sealed_or_known() -> None:
    found = {
        f"{model._meta.db_table}.{field.column}"
        for model in tenant_models()
        if model._meta.db_table not in sealing.sealed_tables()
        for field in model._meta.local_concrete_fields
        if SOUNDS_SECRET.search(str(field.column))
    }
    assert found == set(KNOWN)


def laid_out(folder: Path, rows: bytes) -> Path:
    """Lay out a bundle with one table that is sealed and one that is not."""
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "identity_user").write_bytes(rows)
    (folder / "tables" / "records_record").write_bytes(b"a record")
    return folder


@pytest.mark.parametrize("rows", [b"", b"one\n", b"x" * (sealing._CHUNK * 2 + 7)])
def test_comes_back_whole(tmp_path: Path, rows: bytes) -> None:
    bundle = laid_out(tmp_path / "bundle", rows)
    sealing.seal(bundle)
    assert not (bundle / "tables" / "identity_user").exists()
    assert rows[:100] == b"" or rows[:100] not in (bundle / "sealed" / "identity_user").read_bytes()
    sealing.unseal(bundle)
    assert (bundle / "tables" / "identity_user").read_bytes() == rows
    assert (bundle / "tables" / "records_record").read_bytes() == b"a record"


def test_with_the_key_of_before_and_not_without(tmp_path: Path, settings: Any) -> None:
    old, new = f"k1:{'o' * 32}", f"k2:{'n' * 32}"
    settings.ENCLAVE_KEYS = (old,)
    bundle = laid_out(tmp_path / "bundle", b"one\n")
    sealing.seal(bundle)
    settings.ENCLAVE_KEYS = (new,)
    with pytest.raises(CannotReturn, match="not known here"):
        sealing.unseal(bundle)
    settings.ENCLAVE_KEYS = (new, old)
    sealing.unseal(bundle)
    assert (bundle / "tables" / "identity_user").read_bytes() == b"one\n"


def test_an_export_is_ours_while_its_key_is_in_the_ring(tmp_path: Path, settings: Any) -> None:
    old, new = f"k1:{'o' * 32}", f"k2:{'n' * 32}"
    settings.ENCLAVE_KEYS = (old,)
    said = archive.Said(organisation="1", slug="one", name="One", taken_at="2026-01-01", rows=1)
    archive.write(tmp_path / "export.zip", said, {"bundle/": laid_out(tmp_path / "bundle", b"one\n")})
    settings.ENCLAVE_KEYS = (new,)
    with pytest.raises(CannotReturn, match="not written by this installation"):
        archive.read(tmp_path / "export.zip")
    settings.ENCLAVE_KEYS = (new, old)
    assert archive.read(tmp_path / "export.zip").slug == "one"
