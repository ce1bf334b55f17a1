"""Long work: admission, leases, progress, checkpoints."""

from importlib import import_module

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The room `jobs`."""

    name = "jobs"
    label = "jobs"

    def ready(self) -> None:
        # All of these need the loaded models.
        from jobs import audit, wakes

        # Makes our app the one that bells are rung with.
        import_module("config.celery")
        import_module("jobs.mail")
        audit.register()
        wakes.install()
