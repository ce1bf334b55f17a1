"""The rival of `bin/bench provision`: stock django-tenants, as its manual shows, with our tables."""

from config import env
from config.settings.base import *  # noqa: F403  # the same rooms and migrations
from config.settings.base import CONTROL_LABELS as OURS_CONTROL
from config.settings.base import SHARED_APPS as OURS_SHARED
from config.settings.base import TENANT_APPS as OURS_TENANT
from config.settings.base import TWIN_APPS

SECRET_KEY = "only-for-a-benchmark-" + "x" * 40
DEVELOPMENT = True
SESSION_COOKIE_SECURE = False
DATABASES = {"default": env.database("STOCK_DATABASE_URL", engine="django_tenants.postgresql_backend")}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_DB_ALIAS = "default"
TENANT_MODEL = "stockclient.Client"
# Our rooms ask where each model lives.
CONTROL_LABELS = OURS_CONTROL | {"stockclient"}
TENANT_DOMAIN_MODEL = "stockclient.Domain"
SHARED_APPS = ["django_tenants", "benchmarks.stock_tenants.stockclient", *OURS_SHARED]
TENANT_APPS = [*TWIN_APPS, *OURS_TENANT]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in OURS_TENANT if app not in SHARED_APPS)]
