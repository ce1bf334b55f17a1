"""A bundle of before a migration, files that are gone, and what becomes of the replaced schema in the end."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from operations.models.backup import KEPT_FOR
from operations.restoring import bundle
from tests.restoring.conftest import ONE, TWO, Installation, folder_of
from tests.restoring.test_fence import dumped

FILE = """
WITH collection AS (
    INSERT INTO records_collection (key, name, icon, description, title_key, default_sort, position, design)
    VALUES ('c_1', 'Gear', 'cube', '', '', '', 0, 1) RETURNING id
), record AS (
    INSERT INTO records_record (collection_id, values) SELECT id, '{}' FROM collection RETURNING id
)
INSERT INTO records_recordfile (record_id, field_key, name, content_type, size, sha256, path)
SELECT id, '', 'plan.pdf', 'application/pdf', 1, '', 'ab/plan' FROM record
"""


@pytest.mark.nightly
def test_from_before_a_migration(installation: Installation) -> None:
    """INF-6: it is brought to today's migrations, and the files whose content is gone are named."""
    installation.ask("org-0", FILE)
    target = dumped(installation)
    before = installation.digests("org-0")["gear_speaker"]
    later = {"DJANGO_SETTINGS_MODULE": "tests.fleet.settings", "FLEET_LATER": "column"}
    installation.variables.update(later)
    installation.manage("migrate_fleet")
    installation.ask("org-0", "UPDATE gear_speaker SET colour = 'spoilt'")

    said = installation.restore("org-0", "--from-bundle", target)

    assert "Done" in said
    assert installation.ask("org-0", "SELECT name, colour FROM gear_speaker") == [("tower 0", "black")]
    assert installation.digests("org-0")["gear_speaker"] != before  # it has the column
    ((result,),) = installation.control("SELECT result FROM operations_restore")
    assert isinstance(result, dict)
    assert (result["migrated"], result["files_missing"]) == (True, ["ab/plan"])
    shape = "SELECT name, digest FROM enclave.digests_of('{}', NULL) ORDER BY name"
    ours, theirs = (shape.format(installation.schemas[slug][1]) for slug in ("org-0", "org-2"))
    assert installation.ask("org-0", ours) == installation.ask("org-2", theirs)


@pytest.mark.nightly
def test_what_was_replaced_is_dropped_in_the_end_and_its_trail_kept(installation: Installation) -> None:
    """It can be had back for thirty days; then its trail is in a bundle, without what can be erased."""
    target = dumped(installation)
    installation.ask("org-0", "UPDATE gear_speaker SET name = 'since then'")
    entries = len(installation.ask("org-0", "SELECT 1 FROM audit_event"))
    installation.restore("org-0", "--from-bundle", target)
    ((kept,),) = installation.control("SELECT other_schema FROM operations_restore")

    assert drop_old(installation, datetime.now(UTC) + KEPT_FOR - timedelta(hours=1)) == "0"
    assert installation.ask("org-0", f"SELECT name FROM {kept}.gear_speaker") == [("since then",)]
    assert drop_old(installation, datetime.now(UTC) + KEPT_FOR + timedelta(hours=1)) == "1"

    assert installation.ask("org-0", f"SELECT to_regnamespace('{kept}'), to_regrole('{kept}')") == [
        (None, None)
    ]
    ((where,),) = installation.control("SELECT result->>'trail' FROM operations_restore")
    archived = folder_of(installation) / "bundles" / str(where).rpartition("/")[2]
    manifest = orjson.loads((archived / "manifest.json").read_bytes())
    # The trail of others that is kept here as well, and not what can be erased.
    assert set(manifest["tables"]) == set(bundle.TRAIL)
    assert not any("private" in name for name in manifest["tables"])
    assert manifest["tables"]["audit_event"]["rows"] == entries
    assert not any("since then" in path.read_text() for path in (archived / "tables").iterdir())
    words = ("restore", "org-0", "--from-bundle", str(archived), "--reason", "lost", "--by", ONE)
    assert "not a bundle of org-0" in installation.manage(*words, fails=True)
    undo = ("restore", "org-0", "--undo", "--reason", "too late", "--by", TWO)
    assert "nothing kept" in installation.manage(*undo, typed="org-0", fails=True)


def drop_old(installation: Installation, at: datetime) -> str:
    """Drop what is overdue at a moment, and return how many were."""
    code = (
        "import sys; from datetime import datetime; from operations.actions.bringing_back import drop_old; "
        f"print(drop_old(at=datetime.fromisoformat('{at.isoformat()}')))"
    )
    return installation.manage("shell", "--no-imports", "-c", code).strip()
