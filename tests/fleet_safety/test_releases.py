"""The list of releases: by name, without wildcards, and what is in none is judged."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Q

from jobs.backfills import registry
from operations.fleet.safety.releases import (
    BadReleases,
    Release,
    Releases,
    judge_release,
    next_release,
    read_releases,
    write_releases,
)
from operations.management.commands import check_migrations
from tests.rooms.gear.models import Speaker


def without(name: str) -> Releases:
    """Return the releases as they are, but for one migration of the baseline."""
    found = read_releases()
    kept = tuple(one for one in found.all[0].migrations if one != name)
    return Releases((Release("baseline", kept), *found.all[1:]), found.accepted)


class TestReleases:
    def test_all_of_ours_may_be_applied(self) -> None:
        assert [verdict for verdict in judge_release(read_releases()) if verdict.problems] == []

    def test_one_that_stands_in_none_is_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        changed = without("permissions.0003_built_in_roles")
        monkeypatch.setattr(check_migrations, "read_releases", lambda: changed)
        with pytest.raises(CommandError, match="1 migrations are refused"):
            call_command("check_migrations")

    def test_other_people_s_may_be_accepted_for_a_reason(self) -> None:
        changed = without("permissions.0003_built_in_roles")
        changed.accepted["permissions.0003_built_in_roles"] = "Looked at"
        assert not any(verdict.problems for verdict in judge_release(changed))

    def test_names_of_what_is_not_there_are_an_error(self) -> None:
        found = read_releases()
        wrong = Releases((*found.all, Release("next", ("records.0099_never",))), {})
        with pytest.raises(BadReleases, match=r"not there: records\.0099_never"):
            judge_release(wrong)

    def test_a_backfill_is_since_a_migration(self) -> None:
        registry.backfill("gear.odd", model=Speaker, since="gear.0099_never", todo=Q(notes=""))(
            lambda rows: 0
        )
        try:
            with pytest.raises(BadReleases, match=r"gear\.odd is since gear\.0099_never"):
                judge_release(read_releases())
        finally:
            registry.forget("gear.odd")

    def test_a_release_is_cut_and_read_again(self, tmp_path: Path) -> None:
        file = tmp_path / "releases.toml"
        cut = next_release("1.0", read_releases())
        write_releases(cut, file)
        assert read_releases(file) == cut
        assert judge_release(cut) == []

    @pytest.mark.parametrize(
        ("text", "wrong"),
        [
            ('[[release]]\nname = "a"\nmigrations = ["x.1", "x.1"]', "In two releases: x.1"),
            ('[[accepted]]\nmigration = "x.1"\nbecause = " "', "without a reason: x.1"),
        ],
    )
    def test_a_wrong_file_is_said_to_be_one(self, tmp_path: Path, text: str, wrong: str) -> None:
        file = tmp_path / "releases.toml"
        file.write_text(text)
        with pytest.raises(BadReleases, match=wrong):
            read_releases(file)
