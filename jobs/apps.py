"""Long work: admission, leases, progress, checkpoints."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The room `jobs`."""

    name = "jobs"
    label = "jobs"
