"""What a part becomes as text."""

from typing import ClassVar

from django.db.migrations import Migration

from operations.fleet.parts import Part
from operations.fleet.scripts import script_of

CANARY, OTHER = "t_aaaaaaaaaaaaaaaaaaaa", "t_bbbbbbbbbbbbbbbbbbbb"
PLAIN = f"SELECT set_config('search_path', '{CANARY}', false)"
TEMPORARY = f"SELECT set_config('search_path', '{CANARY}, pg_temp', false)"


def script(*statements: str, digests: dict[str, str] | None = None) -> list[str]:
    """Return the statements for another schema."""
    part = Part((), as_text=True, aim="b", mark="1 2", statements=statements, digests=digests or {})
    return script_of(part, canary=CANARY, start="a").body.replace(CANARY, OTHER).split(";\n")


def test_first_looks_whose_it_is() -> None:
    first, path, *middle = script(f"COMMENT ON SCHEMA {CANARY} IS 'x';")
    assert first.startswith(f"SELECT enclave.begin_script('{OTHER}', '1 2', ARRAY[")
    assert path == f"SET LOCAL search_path = {OTHER}"
    assert middle == [f"COMMENT ON SCHEMA {OTHER} IS 'x'"]


def test_writes_down_its_migrations_and_those_they_replace() -> None:
    class Later(Migration):
        replaces: ClassVar = [("gear", "0002_late")]

    part = Part((Later("0003_later", "gear"),), as_text=True, aim="b", mark="1 2")
    first, *_ = script_of(part, canary=CANARY, start="a").body.split(";\n")
    assert first.endswith("ARRAY['gear', 'gear']::text[], ARRAY['0002_late', '0003_later']::text[])")


def test_is_sent_for_several_at_once() -> None:
    part = Part((), as_text=True, aim="b", mark="1 2", statements=("SELECT 'its'",))
    sent = script_of(part, canary=CANARY, start="a").for_schemas([OTHER, CANARY]).decode()
    assert sent.startswith("CALL enclave.run_scripts('SELECT enclave.begin_script(")
    assert ";\nSELECT ''its'''" in sent
    assert sent.endswith(f"', '{CANARY}', ARRAY['{OTHER}', '{CANARY}']::text[])")


def test_compares_what_was_touched_last() -> None:
    names, digests = "ARRAY['gear columns']::text[]", "ARRAY['12']::text[]"
    last = script("SELECT 1", digests={"gear columns": "12"})[-1]
    assert last == f"SELECT enclave.expect_digests('{OTHER}', {names}, {digests})"


def test_a_path_is_set_only_where_something_is_done_on_it() -> None:
    """Hooks set theirs and put it back, also where they find nothing to do; and only for the transaction."""
    assert script(TEMPORARY, PLAIN, "ANALYZE")[2:] == ["ANALYZE"]
    assert script("ANALYZE", TEMPORARY, PLAIN)[2:] == ["ANALYZE"]
    both = [text.replace(CANARY, OTHER).replace("false", "true") for text in (TEMPORARY, PLAIN)]
    assert script(TEMPORARY, "ANALYZE", PLAIN)[2:] == [both[0], "ANALYZE", both[1]]
    assert script(TEMPORARY, "ANALYZE", PLAIN, "REINDEX")[2:] == [both[0], "ANALYZE", both[1], "REINDEX"]
