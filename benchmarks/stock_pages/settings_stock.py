"""The second rival: django-tenants, guardian, auditlog and ratelimit as their manuals show."""

from benchmarks.stock_pages.settings_plain import *  # noqa: F403  # the first rival and what it lacks
from benchmarks.stock_pages.settings_plain import INSTALLED_APPS as PLAIN_APPS
from benchmarks.stock_pages.settings_plain import MIDDLEWARE as PLAIN_MIDDLEWARE
from config import env

DATABASES = {"default": env.database("STOCK_DATABASE_URL", engine="django_tenants.postgresql_backend")}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL = "stockclient.Client"
TENANT_DOMAIN_MODEL = "stockclient.Domain"
SHARED_APPS = [
    "django_tenants",
    "benchmarks.stock_tenants.stockclient",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
]
TENANT_APPS = [*PLAIN_APPS, "guardian", "auditlog"]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    *PLAIN_MIDDLEWARE,
    "auditlog.middleware.AuditlogMiddleware",
]
ROOT_URLCONF = "benchmarks.stock_pages.urls_stock"
AUTHENTICATION_BACKENDS = (
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.text("REDIS_URL"),
        "KEY_FUNCTION": "django_tenants.cache.make_key",
        "REVERSE_KEY_FUNCTION": "django_tenants.cache.reverse_key",
    }
}
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001", "django_ratelimit.E003"]
