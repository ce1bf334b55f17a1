"""Details of intents as people read them."""

import pytest
from django.utils import timezone

from audit.wording import told


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2026-11-27T17:02:58.331110+00:00", "27 Nov 2026 18:02:58"),
        ("2026-11-27T17:02:58+01:00", "27 Nov 2026 17:02:58"),
        ("2026-11-27", "2026-11-27"),
        ("since 2026-11-27T17:02:58+01:00", "since 2026-11-27T17:02:58+01:00"),
        (1400, "1,400"),
        (None, ""),
    ],
)
def test_a_whole_moment_is_shown_in_the_time_zone_of_who_reads(value: object, words: str) -> None:
    with timezone.override("Europe/Oslo"):
        assert told(value) == words
