"""The rival of `bin/bench fleet`: stock django-tenants with our tables and the example app."""

import os

from benchmarks.stock_tenants.settings import *  # noqa: F403  # the same rooms
from benchmarks.stock_tenants.settings import INSTALLED_APPS, MIGRATION_MODULES, TENANT_APPS, TENANT_LABELS

TENANT_APPS = [*TENANT_APPS, "tests.rooms.gear"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests.rooms.gear"]
TENANT_MULTIPROCESSING_MAX_PROCESSES = 2
TENANT_MULTIPROCESSING_CHUNKS = 2
TENANT_LABELS = TENANT_LABELS | {"gear"}
LATER = os.environ.get("FLEET_LATER", "")
if LATER:
    MIGRATION_MODULES = {**MIGRATION_MODULES, "gear": f"benchmarks.fleet_migrations.{LATER}"}  # type: ignore[dict-item]  # base names one without any
