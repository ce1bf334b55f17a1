"""What spans the rooms: provisioning, fleet migrations, the operators' console."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class OperationsConfig(AppConfig):
    """The room `operations`."""

    name = "operations"
    label = "operations"

    def ready(self) -> None:
        # These need the loaded models.
        from jobs import backfills
        from operations import audit, checks, sweeps
        from operations.backfills.watching import FleetWatcher

        audit.declare_all()
        sweeps.install()
        register(checks.schemas_are_within_reach, Tags.database)
        backfills.watch(FleetWatcher())
