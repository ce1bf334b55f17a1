"""What spans the rooms: provisioning, fleet migrations, the operators' console."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class OperationsConfig(AppConfig):
    """The room `operations`."""

    name = "operations"
    label = "operations"

    def ready(self) -> None:
        # These need the loaded models.
        from config.frame import add_nav
        from jobs import backfills
        from operations import audit, checks, jobs, sweeps
        from operations.backfills.watching import FleetWatcher
        from permissions import perms

        audit.declare_all()
        jobs.declare_all()
        sweeps.install()
        register(checks.schemas_are_within_reach, Tags.database)
        register(checks.joining_is_thought_of)
        backfills.watch(FleetWatcher())
        add_nav(
            "Organisation",
            label="Export",
            url_name="exports:list",
            icon="archive-box-arrow-down",
            permission=perms.EXPORT_ALL,
            order=95,
        )
        add_nav(
            "Organisation",
            label="Divide",
            url_name="divide:list",
            icon="scissors",
            permission=perms.DIVIDE,
            order=96,
        )
