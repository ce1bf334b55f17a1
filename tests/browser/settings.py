"""Settings of the processes that a browser talks to: pools, and assets as they lie in the folder."""

from config.settings.test import *  # noqa: F403  # differs in two names alone
from config.settings.test import databases

DATABASES = databases(pool={"min_size": 1, "max_size": 8, "timeout": 10, "max_lifetime": 1800})
WHITENOISE_USE_FINDERS = True
