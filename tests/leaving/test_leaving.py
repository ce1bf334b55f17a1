"""MOV-6: leave and return. One organisation leaves, is erased, and comes back from its own export."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.leaving.conftest import House
from tests.restoring.conftest import ONE, TWO
from tests.restoring.test_restoring import TOUCHED

SLUG, OTHER = "org-0", "org-1"
GOOD = {"page": 200, "file": True}


@pytest.fixture(scope="module")
def taken(house: House) -> Path:
    """The export that the organisation took with it."""
    return house.folder / "taken.zip"


class TestLeaving:
    """In the order of the file: each test goes on where the one before it ended."""

    def test_it_lives(self, house: House) -> None:
        assert house.do("live", SLUG) == GOOD
        assert house.do("old", SLUG) == {
            "host": 200,
            "session": 200,
            "content": 200,
            "reset": 302,
            "invitation": 200,
            "bound": "a key",
        }
        assert house.do("listed", f"o@{SLUG}.example") == [SLUG]
        assert "Only who is gone is erased" in house.refused("erase", SLUG, "--reason", "no", "--by", ONE)

    def test_an_export_is_written_when_it_leaves(self, house: House, taken: Path) -> None:
        assert house.do("state", SLUG, "leaving") == "leaving"
        assert house.made.control("SELECT step FROM operations_export") == [("asked",)]
        house.owner.command("export", SLUG, "--to", str(taken))
        with zipfile.ZipFile(taken) as archive:
            said = json.loads(archive.read("export.json"))
            assert set(archive.namelist()) == {*said["parts"], "export.json", "export.signature"}
        assert said["slug"] == SLUG
        assert sum(name.startswith("files/") for name in said["parts"]) == 1

    def test_how_people_sign_in_is_sealed_in_it(self, house: House, taken: Path) -> None:
        ((password, digest),) = house.made.ask(
            SLUG,
            "SELECT (SELECT password FROM identity_user WHERE email LIKE 'o@%'), "
            "(SELECT encode(digest, 'hex') FROM identity_session LIMIT 1)",
        )
        assert str(password).startswith("argon2") or "$" in str(password)
        with zipfile.ZipFile(taken) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        readable = b"".join(parts.values())
        for secret in (password, digest, "/accounts/password/reset/key/"):
            assert str(secret).encode() not in readable
        assert f"o@{SLUG}.example".encode() in parts["people.csv"]
        assert b"Cellar" in parts["bundle/tables/records_record"]

    def test_it_may_come_back_as_long_as_its_data_is_there(self, house: House, taken: Path) -> None:
        assert house.do("state", SLUG, "gone") == "gone"
        assert house.do("old", SLUG)["session"] == 410
        back = ("come_back", str(taken), "--reason", "they signed again", "--by", ONE)
        assert "still here" in house.refused(*back)
        assert house.do("state", SLUG, "active") == "active"
        assert house.do("look", SLUG) == GOOD
        assert house.do("state", SLUG, "leaving") == "leaving"
        assert house.do("state", SLUG, "gone") == "gone"

    def test_nobody_erases_alone_or_by_mistake(self, house: House) -> None:
        wish = ("erase", SLUG, "--reason", "the contract ended", "--by", ONE)
        assert "whoever has it can come back" not in house.owner.command(*wish, "--dry-run")
        assert house.made.control("SELECT count(*) FROM operations_erasure") == [(0,)]
        house.owner.command(*wish)
        alone = house.refused("erase", SLUG, "--approve", "--by", ONE, typed=SLUG)
        assert "Somebody else" in alone
        assert "not the address" in house.refused("erase", SLUG, "--approve", "--by", TWO, typed=OTHER)
        assert "asked for already" in house.refused(*wish)
        # Its day is in 30 days: approved, it waits, and can be taken back.
        assert "begins on" in house.owner.command("erase", SLUG, "--approve", "--by", TWO, typed=SLUG)
        assert house.owner.command("erase", "--resume") == "0 erased.\n"
        assert house.made.control("SELECT step FROM operations_erasure") == [("approved",)]
        house.owner.command("erase", SLUG, "--cancel", "--reason", "not yet", "--by", ONE)
        assert house.made.control("SELECT step FROM operations_erasure") == [("cancelled",)]

    def test_nothing_is_left_of_it(self, house: House) -> None:
        other = house.made.digests(OTHER)
        _, schema = house.made.schemas[SLUG]
        assert (house.folder / "files" / schema).exists()

        # That one was asked for when it began to leave; it would hold the erasure up.
        assert ".zip" in house.owner.command("export", SLUG)
        assert "Erased" in house.erase(SLUG)

        proof = json.loads(house.owner.command("erase", SLUG, "--proof"))
        assert set(proof["left"].values()) == {0}
        assert proof["was"]["rows"]["gear_speaker"] == 1
        assert proof["was"]["trail"]["entries"] == proof["was"]["rows"]["audit_event"]
        assert (proof["asked_by"], proof["approved_by"]) == (ONE, TWO)
        assert house.made.ask(OTHER, f"SELECT count(*) FROM pg_roles WHERE rolname = '{schema}'") == [(0,)]
        assert not (house.folder / "files" / schema).exists()
        assert house.do("listed", f"o@{SLUG}.example") == []
        assert set(house.do("old", SLUG).values()) <= {404, 410, "closed"}
        assert house.made.digests(OTHER) == other

    def test_its_address_is_given_to_nobody_else(self, house: House) -> None:
        said = house.refused("provision", SLUG, "--name", "Another", "--owner", "eve@another.example")
        assert "This address is taken" in said

    def test_it_is_not_made_active_then(self, house: House) -> None:
        assert "comes back from its export only" in house.do("state", SLUG, "active")
        assert "erased already" in house.refused("erase", SLUG, "--reason", "again", "--by", ONE)


@pytest.mark.parametrize("function", ["close_for_good(text)", "adopt(text, integer)"])
def test_processes_that_serve_people_close_and_open_no_schema(house: House, function: str) -> None:
    query = f"SELECT has_function_privilege(%s, 'enclave.{function}', 'EXECUTE')"
    for login, may in (("'enclave_app'", False), ("'enclave_owner'", True)):
        assert house.made.ask(OTHER, query.replace("%s", login)) == [(may,)]


def test_the_newest_three_exports_are_kept(house: House) -> None:
    for _ in range(4):
        house.owner.command("export", OTHER)
    steps = house.made.control(
        "SELECT export.step FROM operations_export AS export "
        f"JOIN tenants_organisation AS of ON of.id = organisation_id AND slug = '{OTHER}' ORDER BY asked_at"
    )
    assert steps == [("removed",), ("done",), ("done",), ("done",)]
    assert len(list((house.folder / "exports").glob("*.zip"))) == 3


class TestComingBack:
    """Goes on where leaving ended."""

    @pytest.mark.parametrize("name", ["bundle/before.sql", "bundle/tables/gear_speaker", "export.json"])
    def test_from_a_file_that_somebody_changed_is_refused(
        self, house: House, taken: Path, name: str, tmp_path: Path
    ) -> None:
        changed = tmp_path / "changed.zip"
        _rewrite(taken, changed, {name: lambda data: data + b" "})
        said = house.refused("come_back", str(changed), "--reason", "they signed again", "--by", ONE)
        assert "changed since" in said or "damaged" in said
        assert house.made.ask(OTHER, "SELECT count(*) FROM enclave.issued WHERE state = 'loading'") == [(0,)]
        assert house.made.control("SELECT count(*) FROM operations_return WHERE step <> 'failed'") == [(0,)]

    def test_has_equal_digests_and_nothing_old_works(self, house: House, taken: Path, tmp_path: Path) -> None:
        back = ("come_back", str(taken), "--reason", "they signed again", "--by", ONE)
        assert "is back on" in house.owner.command(*back)

        ((alias, schema),) = house.made.control(
            f"SELECT shard_id, schema_name FROM tenants_organisation WHERE slug = '{SLUG}'"
        )
        assert schema != house.made.schemas[SLUG][1]
        house.made.schemas[SLUG] = (str(alias), str(schema))
        then = _digests_in(taken)
        after = house.made.digests(SLUG)
        assert {name for name in then if after[name] != then[name]} <= TOUCHED
        assert house.do("look", SLUG) == GOOD
        assert house.do("listed", f"o@{SLUG}.example") == [SLUG]
        assert house.do("old", SLUG) == {
            "host": 200,
            "session": 302,
            "content": 404,
            "reset": 200,
            "invitation": 410,
            "bound": "refused",
        }
        ((epoch, payload),) = house.made.ask(
            SLUG, "SELECT epoch, payload FROM audit_event WHERE code = 'organisation.returned'"
        )
        assert epoch == 2
        assert json.loads(str(payload))["by"]["label"] == ONE
        assert "still here" in house.refused(*back)

    def test_its_trail_is_sealed_on_in_the_same_chain(self, house: House) -> None:
        said = house.owner.command("seal", SLUG, "--export")
        assert "organisation.returned" in said


def _rewrite(source: Path, target: Path, changes: dict[str, object]) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            change = changes.get(name)
            data = old.read(name)
            new.writestr(name, change(data) if callable(change) else data)


def _digests_in(export: Path) -> dict[str, object]:
    with zipfile.ZipFile(export) as archive:
        manifest = json.loads(archive.read("bundle/manifest.json"))
    return {name: about["digest"] for name, about in manifest["tables"].items()}
