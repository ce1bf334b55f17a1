"""Collections, fields, records, files, import."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The room `records`."""

    name = "records"
    label = "records"

    def ready(self) -> None:
        # Imported here: the models must be loaded first.
        from records import audit, jobs, policies  # noqa: F401

        policies.install()
