"""Settings of web processes that say which release they are, and have a page that takes its time."""

from config.settings.test import *  # noqa: F403  # the same rooms
from config.settings.test import MIDDLEWARE

MIDDLEWARE = ["tests.releases.middleware.SaysRelease", *MIDDLEWARE, "tests.releases.middleware.Slow"]
