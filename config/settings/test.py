"""Settings of the tests. The servers' addresses are put into the environment by tests/conftest.py."""

import os

for _name in ("CONTROL_DATABASE_URL", "SHARD_1_DATABASE_URL", "SHARD_2_DATABASE_URL"):
    # So that commands which need no server (makemigrations --check) load the settings too.
    os.environ.setdefault(_name, "postgresql://nobody:nothing@127.0.0.1:1/nowhere")
    os.environ.setdefault(f"OWNER_{_name}", "postgresql://nobody:nothing@127.0.0.1:1/nowhere")

from config.settings.base import *  # noqa: E402, F403  # after the environment is complete
from config.settings.base import (  # noqa: E402  # after the environment is complete
    INSTALLED_APPS,
    STORAGES,
    TENANT_APPS,
    TENANT_LABELS,
    databases,
)

# The example of a team's own app: one model, one registration.
TENANT_APPS = [*TENANT_APPS, "tests.rooms.gear"]
TENANT_LABELS = TENANT_LABELS | {"gear"}
INSTALLED_APPS = [*INSTALLED_APPS, "tests.rooms.gear"]

DEVELOPMENT = True
DEBUG = False
SECRET_KEY = "only-for-the-tests-" + "x" * 40
DATABASES = databases(pool=None)

SESSION_COOKIE_NAME = "sid"
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_NAME = "csrf"
CSRF_COOKIE_SECURE = False

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True
