"""The rival's tenants."""

from django.apps import AppConfig


class StockClientConfig(AppConfig):
    """Tenants as the manual shows."""

    name = "benchmarks.stock_tenants.stockclient"
    label = "stockclient"
    default_auto_field = "django.db.models.BigAutoField"
