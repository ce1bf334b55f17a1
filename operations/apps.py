"""What spans the rooms: provisioning, fleet migrations, the operators' console."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """The room `operations`."""

    name = "operations"
    label = "operations"

    def ready(self) -> None:
        # These need the loaded models.
        from jobs import backfills
        from operations import sweeps
        from operations.backfills.watching import FleetWatcher

        sweeps.install()
        backfills.watch(FleetWatcher())
