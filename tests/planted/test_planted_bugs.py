"""Guards taken out one at a time: for each, the suite must turn red.

Each bug is planted in a copy of the tree, and the tests that should notice run there. A bug whose
place is gone fails here, so that the list stays true.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_COPIED = (".git", ".venv", "var", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
FAILED = 1  # pytest's exit code for tests that failed; other codes would be faults of this harness


@dataclass(frozen=True, slots=True)
class Bug:
    """A guard taken out: what stood in a file, what stands there instead, and which tests must notice."""

    name: str
    file: str
    guard: str
    without: str
    tests: str


BUGS = (
    Bug(
        "settings that outlive the transaction",
        "tenants/backends/shard/base.py",
        "set_config('role', %s, true)",
        "set_config('role', %s, false)",
        "tests/tenants/test_context.py",
    ),
    Bug(
        "queries outside a transaction",
        "tenants/backends/shard/base.py",
        "if not self.in_atomic_block:",
        "if False:",
        "tests/tenants/test_context.py",
    ),
    Bug(
        "a context forgotten after a savepoint was rolled back",
        "tenants/backends/shard/base.py",
        "        self._applied = self._let_in = None\n        self._is_bare = False\n",
        "",
        "tests/tenants/test_context.py",
    ),
    Bug(
        "one organisation entered inside another",
        "tenants/context.py",
        "if inside is not None and inside.schema != tenant.schema:",
        "if False:",
        "tests/tenants/test_context.py",
    ),
    Bug(
        "rows kept in memory and saved elsewhere",
        "tenants/context.py",
        "if schema and context is not None and context.plane is Plane.TENANT and schema != context.schema:",
        "if False:",
        "tests/tenants/test_context.py",
    ),
    Bug(
        "rows of other people's apps kept in memory",
        "tenants/models/base.py",
        "about_to_write.connect(_verify, sender=model",
        "about_to_write.connect(_remember, sender=model",
        "tests/tenants/test_context.py",
    ),
    Bug(
        "functions that have one name in all schemas",
        "tenants/functions.py",
        'return f"{name}_{checked_schema_name(schema)}"',
        "return name",
        "tests/tenants/test_functions.py",
    ),
    Bug(
        "changes in an organisation that is leaving",
        "tenants/standstill.py",
        "WHEN (current_setting('app.stops'::text, true) = 'changes'::text)",
        "WHEN (current_setting('app.stops'::text, true) = 'nothing'::text)",
        "tests/tenants/test_states.py",
    ),
    Bug(
        "a path that outlives the transaction",
        "tenants/backends/shard/base.py",
        "set_config('search_path', %s, true)",
        "set_config('search_path', %s, false)",
        "tests/tenants/test_context.py",
    ),
    Bug(
        "a schema claimed by a process that died",
        "operations/actions/provisioning.py",
        "return settled + sum(_strays_of(alias) for alias in settings.SHARD_ALIASES)",
        "return settled",
        "tests/operations/test_provisioning.py",
    ),
    Bug(
        "cache keys without the tenant",
        "tenants/cache.py",
        'scope = f"{context.plane}/{context.schema}" if context is not None else "outside"',
        'scope = "everywhere"',
        "tests/tenants/test_cache.py",
    ),
    Bug(
        "requests from a page of another host",
        "tenants/middleware.py",
        'if site not in (None, "same-origin", "none"):\n            return False',
        "if site:\n            return True",
        "tests/tenants/test_hosts.py",
    ),
    Bug(
        "a cookie that works on another organisation's host",
        "accounts/sessions.py",
        "kept.filter(digest=key, organisation_id=organisation_id, host=host)",
        # Each value still has its place, or the question could not be prepared; it keeps nobody out.
        'kept.filter(digest=key).exclude(organisation_id=organisation_id, host=host, digest=b"")',
        "tests/accounts/test_sessions.py",
    ),
    Bug(
        "what somebody else holds on a collection",
        "records/finding.py",
        "found = prepared(key=key, user_id=holder.user_id, at=holder.at, **groups)",
        "found = prepared(key=key, user_id=KEY, at=holder.at, **groups)",
        "tests/records/test_finding.py",
    ),
    Bug(
        "a list that shows every row",
        "permissions/policies.py",
        "return self.rows().filter(self.condition(holder_for(who, at=at), to or self.view))",
        "return self.rows()",
        "tests/permissions/test_policies.py",
    ),
    Bug(
        "a page that does not ask who may open it",
        "permissions/access.py",
        "if to != policy.view and not policy.allows(holder, to, found, holder.at):",
        "if False:",
        "tests/test_every_url.py",
    ),
    Bug(
        "a schema that was confirmed, thrown away",
        "tenants/sql/enclave.sql",
        "WHERE schema_name = wanted AND state IN ('ready', 'claimed');",
        "WHERE schema_name = wanted;",
        "tests/operations/test_provisioning.py",
    ),
    Bug(
        "an export of anybody's believed",
        "operations/leaving/archive.py",
        "if not _is_ours(text, signature):",
        "if False:",
        "tests/leaving/test_leaving.py",
    ),
    Bug(
        "links of before an organisation left",
        "accounts/links.py",
        ":{organisation.schema}",
        "",
        "tests/leaving/test_leaving.py",
    ),
    Bug(
        "somebody who is in both organisations, twice after the merge",
        "operations/joining/shape.py",
        """parts.append(_not_here(place, table.type_id, f'r."{table.key}"'))""",
        'parts.append("true")',
        "tests/joining/test_merging.py",
    ),
    Bug(
        "values of records that name who became somebody else",
        "records/joining.py",
        ', put={"values": _VALUES}',
        "",
        "tests/joining/test_merging.py",
    ),
    Bug(
        "what only one may have, found out too late",
        "operations/joining/comparing.py",
        "    if table.rule.quietly:\n        return",
        "    if table:\n        return",
        "tests/joining/test_merging.py",
    ),
    Bug(
        "what somebody has worked on since, taken back with the rest",
        "operations/joining/removing.py",
        "    if not even_if_changed:",
        "    if even_if_changed:",
        "tests/joining/test_merging.py",
    ),
    Bug(
        "somebody erased in one trail and not in the other",
        "audit/sql/functions.sql",
        "WHERE kept.subject = known.id AND",
        "WHERE false AND",
        "tests/joining/test_annexed.py",
    ),
    Bug(
        "a trail that is not kept here",
        "audit/origins.py",
        "if origin.source == source",
        "if origin",
        "tests/joining/test_annexed.py",
    ),
    Bug(
        "a number of another organisation, taken for what has it here",
        "audit/translating.py",
        "return old if is_number(key) else [key, *old]",
        "return [key, *old]",
        "tests/audit/test_annexed.py",
    ),
    Bug(
        "somebody erased while a trail was copied, brought again",
        "audit/annexing.py",
        'if table.kept != "audit_annexed_private":',
        "if True:",
        "tests/audit/test_annexed.py",
    ),
    Bug(
        "what goes, in two places",
        "operations/joining/splitting.py",
        "    parting.put_aside(source, picks.collections, by=split.approved_by)\n",
        "",
        "tests/joining/test_splitting.py",
    ),
    Bug(
        "history of what stays, taken along",
        "operations/joining/trails.py",
        "is_whole=not only)",
        "is_whole=not only)\n            only = 'true'",
        "tests/joining/test_splitting.py",
    ),
    Bug(
        "whom work that stays names, gone all the same",
        "operations/joining/removing.py",
        "    if table.model is User:\n",
        "    if False:\n",
        "tests/joining/test_random_pairs.py",
    ),
    Bug(
        "keys of a third organisation, found twice",
        "operations/joining/trails.py",
        "_for_keys(connection, place, source, table, _LOST, _KEYS_SINCE)",
        "_for_keys(connection, place, source, table, _KEYS_SINCE, _KEYS)",
        "tests/joining/test_chain.py",
    ),
    Bug(
        "an erasure that does not wait for what is copied",
        "audit/sql/functions.sql",
        "    LOCK TABLE audit_annexed_private, audit_annexed_key IN SHARE ROW EXCLUSIVE MODE;\n",
        "",
        "tests/audit/test_annexed.py",
    ),
    Bug(
        "another organisation's division, taken back",
        "operations/views/dividing.py",
        "split = get_object_or_404(Split, pk=pk, source=current_tenant().id)",
        "split = get_object_or_404(Split, pk=pk)",
        "tests/operations/test_dividing_pages.py",
    ),
    Bug(
        "a division asked for that has to be settled first",
        "operations/views/dividing.py",
        'for kind, *_rest in job.result["found"]',
        "for kind, *_rest in []",
        "tests/operations/test_dividing_pages.py",
    ),
)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """A copy of the working tree, with the same environment."""
    copy = tmp_path / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED, "__pycache__"))
    yield copy
    shutil.rmtree(copy, ignore_errors=True)


@pytest.mark.nightly
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_turns_the_suite_red(bug: Bug, tree: Path) -> None:
    place = tree / bug.file
    before = place.read_text()
    assert before.count(bug.guard) == 1, "the guard is not where it was"
    place.write_text(before.replace(bug.guard, bug.without))
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *bug.tests.split()],
        cwd=tree,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == FAILED, finished.stdout[-3000:] + finished.stderr[-2000:]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_guard_is_where_it_was(bug: Bug) -> None:
    assert (ROOT / bug.file).read_text().count(bug.guard) == 1
