"""What a restore makes the live server do leaves others their time."""

import time

import pytest

from operations.restoring import gently


class TestResting:
    def test_takes_as_long_as_the_work(self) -> None:
        began = time.monotonic()
        with gently.resting():
            time.sleep(0.03)
        assert time.monotonic() - began >= 0.06

    def test_work_that_fails_is_not_rested_from(self) -> None:
        with pytest.raises(ZeroDivisionError), gently.resting():
            raise ZeroDivisionError
