"""The settings of one of two releases of the example app, which a variable names."""

import os

from config.settings.test import *  # noqa: F403  # the same rooms
from config.settings.test import INSTALLED_APPS, TENANT_APPS

_EXAMPLE = {"old": "tests.rooms.gear", "new": "tests.releases.gear"}[os.environ["RELEASES_CODE"]]
TENANT_APPS = [_EXAMPLE if app == "tests.rooms.gear" else app for app in TENANT_APPS]
INSTALLED_APPS = [_EXAMPLE if app == "tests.rooms.gear" else app for app in INSTALLED_APPS]
