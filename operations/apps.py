"""What spans the rooms: provisioning, fleet migrations, the operators' console."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """The room `operations`."""

    name = "operations"
    label = "operations"

    def ready(self) -> None:
        from operations import audit, sweeps  # noqa: F401  # need the loaded models; the words of the trail

        sweeps.install()
