"""The settings of `bin/bench fleet`: the example app has one migration more, which a variable names."""

import os

from config.settings.test import *  # noqa: F403  # the same rooms
from config.settings.test import INSTALLED_APPS, MIGRATION_MODULES

LATER = os.environ.get("FLEET_LATER", "")
INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.fleet_migrations.apps.LaterConfig"]
if LATER:
    MIGRATION_MODULES = {**MIGRATION_MODULES, "gear": f"benchmarks.fleet_migrations.{LATER}"}  # type: ignore[dict-item]  # base names one without any
