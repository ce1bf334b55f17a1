"""The room of the trail."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Registers what comes from other people's apps, the check, and the triggers' installation."""

    name = "audit"
    label = "audit"

    def ready(self) -> None:
        # All of these need the loaded models.
        from audit import checks, install, joining, twins, vocabulary  # noqa: F401  # joining says it by being imported
        from audit.models import AnnexedEvent, AnnexedPrivate, Event, Private
        from config import frame
        from tenants.schema import register_after_migrate
        from tenants.sizes import large
        from tenants.standstill import keep_open

        large(Event, Private, AnnexedEvent, AnnexedPrivate, because="Whatever happens leaves one, for ever.")

        vocabulary.declare_all()
        twins.register_all()
        checks.install()
        register_after_migrate(install.install, text=install.text)
        keep_open(*self.get_models(), reason="Signing in, reading and sealing go on, and leave their events.")
        frame.add_nav(
            "Organisation",
            label="Trail",
            url_name="trail:list",
            icon="clock",
            permission="trail.view",
            order=30,
        )
