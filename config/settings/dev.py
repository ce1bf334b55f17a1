"""Settings of bin/up: this machine, plain HTTP, embedded services."""

from config import env
from config.settings.base import *  # noqa: F403  # the one place where a settings module starts from another
from config.settings.base import STORAGES, databases

DEVELOPMENT = True
DEBUG = env.flag("ENCLAVE_DEBUG", default=False)
SECRET_KEY = env.text("DJANGO_SECRET_KEY")
DATABASES = databases(pool={"min_size": 1, "max_size": 12, "timeout": 10, "max_lifetime": 1800})

# `__Host-` cookies need TLS. Only here, and in tests, may they go without.
SESSION_COOKIE_NAME = "sid"
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_NAME = "csrf"
CSRF_COOKIE_SECURE = False

# Without compression: it costs seconds of a first start and saves nothing on one's own machine.
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
