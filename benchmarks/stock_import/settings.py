"""Settings of a plain Django project with django-auditlog, as its manual shows."""

import os
from urllib.parse import unquote, urlsplit

_url = urlsplit(os.environ.get("STOCK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere"))
SECRET_KEY = "only-for-a-benchmark-" + "x" * 40
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "auditlog",
    "benchmarks.stock_import.stockrows",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _url.hostname,
        "PORT": _url.port,
        "USER": _url.username,
        "PASSWORD": unquote(_url.password or ""),
        "NAME": _url.path[1:],
    }
}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
