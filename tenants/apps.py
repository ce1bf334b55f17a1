"""The room of the tenants: walls, placement, the context."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Installs the explicit ids of content types and permissions, and the checks of the walls."""

    name = "tenants"
    label = "tenants"

    def ready(self) -> None:
        from tenants import (  # the registry of checks needs the loaded apps
            capabilities,
            checks,
            explicit_ids,
            standstill,
        )
        from tenants.models.base import guard_rows_of_others
        from tenants.schema import register_after_migrate

        explicit_ids.install()
        guard_rows_of_others()
        checks.install()
        register_after_migrate(standstill.install, text=standstill.text)
        register_after_migrate(capabilities.make_function, text=capabilities.text)
        capabilities.bind()
