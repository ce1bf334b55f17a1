"""Long work: admission, leases, progress, checkpoints."""

from importlib import import_module

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The room `jobs`."""

    name = "jobs"
    label = "jobs"

    def ready(self) -> None:
        # All of these need the loaded models.
        from config import frame
        from jobs import audit, joining, wakes  # noqa: F401  # joining says it by being imported
        from jobs.models import Job, OutgoingMail
        from tenants.sizes import large
        from tenants.standstill import keep_open

        large(Job, OutgoingMail, because="Jobs and mails stay after they are done.")

        # Makes our app the one that bells are rung with.
        import_module("config.celery")
        import_module("jobs.mail")
        import_module("jobs.backfills")
        # Rooms above this one decide about permissions; the views, which may see them, carry the policy.
        import_module("jobs.views.policies")
        audit.register()
        wakes.install()
        keep_open(*self.get_models(), reason="Jobs go on; what one would change is stopped there, not here.")
        frame.add_nav(frame.FOOT, label="Jobs", url_name="jobs:list", icon="queue-list", order=60)
