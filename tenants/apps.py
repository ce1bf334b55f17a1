"""The room of the tenants: walls, placement, the context."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Installs the explicit ids of content types and permissions, and the checks of the walls."""

    name = "tenants"
    label = "tenants"

    def ready(self) -> None:
        from tenants import checks, explicit_ids  # the registry of checks needs the loaded apps

        explicit_ids.install()
        checks.install()
