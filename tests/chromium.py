"""Where the system's Chromium is."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str:
    """Return the browser's path. Without one the test is skipped, and fails where everything has to run."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    missing = f"None of {', '.join(NAMES)} is installed; .ci/run installs what the tests need."
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)
