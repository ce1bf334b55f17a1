"""The app of the rivals; registers its model with auditlog where that is installed."""

from django.apps import AppConfig, apps


class FlightsConfig(AppConfig):
    """Flights."""

    name = "benchmarks.stock_pages.flights"
    label = "flights"

    def ready(self) -> None:
        if apps.is_installed("auditlog"):
            from auditlog.registry import auditlog

            auditlog.register(self.get_model("Flight"))
