"""The settings of one of three releases of the example app, which a variable names."""

import os
from pathlib import Path

from config.settings.test import *  # noqa: F403  # the same rooms
from config.settings.test import INSTALLED_APPS, MIGRATION_MODULES, SCHEMA_RELEASES, TENANT_APPS

_CODE = os.environ["RELEASES_CODE"]
_EXAMPLE = {"old": "tests.rooms.gear", "new": "tests.releases.gear", "last": "tests.releases.gear"}[_CODE]
TENANT_APPS = [_EXAMPLE if app == "tests.rooms.gear" else app for app in TENANT_APPS]
INSTALLED_APPS = [_EXAMPLE if app == "tests.rooms.gear" else app for app in INSTALLED_APPS]
if _CODE == "last":
    MIGRATION_MODULES = {**MIGRATION_MODULES, "gear": "tests.releases.last"}  # type: ignore[dict-item]  # base names one without any
# Each release brings its list of those before it.
SCHEMA_RELEASES = (
    Path(os.environ["RELEASES_FILES"]) / _CODE if "RELEASES_FILES" in os.environ else SCHEMA_RELEASES
)
