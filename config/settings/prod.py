"""Settings of production. They refuse to load with anything that would make an installation unsafe."""

import os

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.settings.base import *  # noqa: F403  # the one place where a settings module starts from another
from config.settings.base import DATABASE_LOGIN, databases

DEVELOPMENT = False
DEBUG = False
if env.flag("ENCLAVE_DEBUG", default=False):
    raise ImproperlyConfigured("ENCLAVE_DEBUG is 1; a public installation never shows its insides.")

SECRET_KEY = env.text("DJANGO_SECRET_KEY")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 12 or "only-for-the-tests" in SECRET_KEY:
    raise ImproperlyConfigured(
        "DJANGO_SECRET_KEY is a development secret; use 50 random characters or more, "
        "for example from: openssl rand -base64 48"
    )

ENCLAVE_KEYS = env.words("ENCLAVE_KEYS")
if not ENCLAVE_KEYS or not all(
    name.isalnum() and len(key) >= 32 for name, _, key in (pair.partition(":") for pair in ENCLAVE_KEYS)
):
    raise ImproperlyConfigured(
        "ENCLAVE_KEYS is missing or malformed; use id:key, each key of 32 random characters or more, "
        "the one that encrypts first."
    )

# Who ends TLS: a proxy in front, which tells us so in a header, or this process.
TLS = env.text("ENCLAVE_TLS", default="")
if TLS not in ("proxy", "direct"):
    raise ImproperlyConfigured(
        "ENCLAVE_TLS is not set; use proxy (behind a proxy that ends TLS, sets X-Forwarded-Proto and "
        "drops it from clients) or direct (this process ends TLS)."
    )
if TLS == "proxy":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
else:
    # Read by config/gunicorn.py.
    for _name in ("ENCLAVE_TLS_CERTIFICATE", "ENCLAVE_TLS_KEY"):
        if not os.path.isfile(env.text(_name, default="")):
            raise ImproperlyConfigured(
                f"{_name} names no file; ENCLAVE_TLS=direct needs a certificate and its key."
            )

# The defaults of these are for one's own machine, and `localhost` is nobody else's name.
for _name in (
    "ENCLAVE_BASE_DOMAIN",
    "ENCLAVE_OPERATORS_HOST",
    "ENCLAVE_CONTENT_DOMAIN",
    "ENCLAVE_FROM_EMAIL",
):
    if not env.text(_name, default="") or env.text(_name).rstrip(">").endswith("localhost"):
        raise ImproperlyConfigured(f"{_name} is not set, or ends in localhost; use a name that others reach.")
# How many proxies of our own stand in front; so many entries of X-Forwarded-For are believed.
TRUSTED_PROXIES = env.number("ENCLAVE_PROXY_HOPS", default=1 if TLS == "proxy" else 0)

if DATABASE_LOGIN == "app":
    _owners = sorted(
        name
        for name in os.environ
        if name.startswith(("OWNER_", "MOVER_", "BACKUP_")) and name.endswith("_DATABASE_URL")
    )
    if _owners:
        raise ImproperlyConfigured(
            f"{_owners[0]} is set in a process of the app; only the owner's processes may know it."
        )

DATABASES = databases(
    pool={
        "min_size": env.number("ENCLAVE_POOL_LEAST", default=1),
        "max_size": env.number("ENCLAVE_POOL_MOST", default=12, least=1),
        "timeout": 10,
        "max_lifetime": 1800,
    }
)
PUBLIC_PORT = env.text("ENCLAVE_PORT", default="443")

SESSION_COOKIE_NAME = "__Host-sid"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
