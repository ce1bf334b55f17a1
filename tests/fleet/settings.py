"""The settings of a later release: the example app with more migrations, which a variable names."""

import os

from config.settings.test import *  # noqa: F403  # the same rooms
from config.settings.test import MIGRATION_MODULES

LATER = os.environ.get("FLEET_LATER", "")
if LATER:
    MIGRATION_MODULES = {**MIGRATION_MODULES, "gear": f"tests.fleet.later.{LATER}"}  # type: ignore[dict-item]  # base names one without any
