"""What a part becomes as text."""

from operations.fleet.parts import Part
from operations.fleet.scripts import script_of

CANARY, OTHER = "t_aaaaaaaaaaaaaaaaaaaa", "t_bbbbbbbbbbbbbbbbbbbb"
PLAIN = f"SELECT set_config('search_path', '{CANARY}', false)"
TEMPORARY = f"SELECT set_config('search_path', '{CANARY}, pg_temp', false)"


def script(*statements: str, digests: dict[str, str] | None = None) -> list[str]:
    """Return the statements for another schema."""
    part = Part((), as_text=True, aim="b", mark="1 2", statements=statements, digests=digests or {})
    return script_of(part, canary=CANARY, start="a").for_schema(OTHER).decode().split(";\n")


def test_is_one_transaction_that_first_looks_whose_it_is() -> None:
    begin, first, path, *middle, commit = script(f"COMMENT ON SCHEMA {CANARY} IS 'x';")
    assert (begin, commit) == ("BEGIN", "COMMIT")
    assert first.startswith(f"SELECT enclave.begin_script('{OTHER}', '1 2', ARRAY[")
    assert path == f"SET LOCAL search_path = {OTHER}"
    assert middle == [f"COMMENT ON SCHEMA {OTHER} IS 'x'"]


def test_compares_what_was_touched_last() -> None:
    names, digests = "ARRAY['gear columns']::text[]", "ARRAY['12']::text[]"
    last = script("SELECT 1", digests={"gear columns": "12"})[-2]
    assert last == f"SELECT enclave.expect_digests('{OTHER}', {names}, {digests})"


def test_a_path_is_set_only_where_something_is_done_on_it() -> None:
    """Hooks set theirs and put it back, also where they find nothing to do."""
    assert script(TEMPORARY, PLAIN, "ANALYZE")[3:-1] == ["ANALYZE"]
    assert script("ANALYZE", TEMPORARY, PLAIN)[3:-1] == ["ANALYZE"]
    both = [text.replace(CANARY, OTHER) for text in (TEMPORARY, PLAIN)]
    assert script(TEMPORARY, "ANALYZE", PLAIN)[3:-1] == [both[0], "ANALYZE", both[1]]
    assert script(TEMPORARY, "ANALYZE", PLAIN, "REINDEX")[3:-1] == [both[0], "ANALYZE", both[1], "REINDEX"]
