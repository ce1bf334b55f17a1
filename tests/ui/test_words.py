from datetime import UTC, datetime, timedelta

import pytest
from django import forms
from django.utils import timezone

from config.ui.templatetags.ui import undo_url
from config.ui.words import initials, separated, short_count, since, span

NOW = datetime(2026, 11, 14, 22, 0, tzinfo=UTC)


class TestNumbers:
    def test_thousands_are_separated(self) -> None:
        assert separated(336776) == "336,776"

    @pytest.mark.parametrize(
        ("count", "words"), [(48_000, "48,000"), (1_204_318, "1.2\u00a0M"), (3_000_000, "3\u00a0M")]
    )
    def test_millions_are_short(self, count: int, words: str) -> None:
        assert short_count(count) == words


class TestTimes:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (-3, "0 s"),
            (9.4, "9 s"),
            (240, "4 min"),
            (7800, "2 h 10 min"),
            (7200, "2 h"),
            (86_400, "1 day"),
            (260_000, "3 days"),
        ],
    )
    def test_a_span_has_one_or_two_units(self, seconds: float, words: str) -> None:
        assert span(seconds).replace("\u00a0", " ") == words

    @pytest.mark.parametrize(
        ("away", "words"),
        [
            (timedelta(seconds=3), "just now"),
            (timedelta(minutes=5), "5 min ago"),
            (timedelta(hours=-3), "in 3 h"),
            (timedelta(days=2), "12 Nov 2026"),
        ],
    )
    def test_under_a_day_it_is_relative(self, away: timedelta, words: str) -> None:
        with timezone.override("UTC"):
            assert since(NOW - away, NOW).replace("\u00a0", " ") == words


class TestInitials:
    @pytest.mark.parametrize(
        ("name", "letters"),
        [
            ("Mira Okafor", "MO"),
            ("Pulse", "P"),
            ("ada@pulse.example", "AE"),
            ("", "·"),
            ("☃", "·"),
            ("Åsa af Ek", "ÅE"),
        ],
    )
    def test_they_are_the_first_letters(self, name: str, letters: str) -> None:
        assert initials(name) == letters


class TestUndo:
    def test_a_path_of_this_host_is_taken(self) -> None:
        assert undo_url("big undo:/records/undo/7/") == "/records/undo/7/"

    @pytest.mark.parametrize(
        "tags", [None, "", "undo:", "undo://evil.example", "undo:/\\evil.example", "undo:https://x.example"]
    )
    def test_any_other_is_not(self, tags: str | None) -> None:
        assert undo_url(tags) == ""


class TestFormWords:
    def test_a_form_says_what_to_do(self) -> None:
        class Asked(forms.Form):
            name = forms.CharField()
            email = forms.EmailField()
            kind = forms.ChoiceField(choices=[("a", "A")])
            several = forms.MultipleChoiceField(choices=[("a", "A")])
            file = forms.FileField()

        assert [one for field in Asked({"email": "mira"}).errors.values() for one in field] == [
            "Fill this in.",
            "Write an e-mail address, such as mira@example.org.",
            "Choose one.",
            "Choose at least one.",
            "Choose a file.",
        ]
