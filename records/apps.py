"""Collections, fields, records, files, import."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The room `records`."""

    name = "records"
    label = "records"

    def ready(self) -> None:
        # Imported here: the models must be loaded first.
        from config.frame import add_nav, add_nav_source
        from records import audit, install, jobs, joining, naming, policies  # noqa: F401
        from records.imports import jobs as import_jobs  # noqa: F401
        from records.imports import policies as import_policies
        from records.models import ImportedRow, IndexState, RecordFile, UndoStep, UniqueValue
        from records.views import history
        from records.views.seen import nav
        from tenants.schema import register_after_migrate
        from tenants.sizes import large
        from tenants.standstill import keep_open

        large(
            RecordFile, ImportedRow, UndoStep, UniqueValue, because="There are as many as records, or more."
        )

        register_after_migrate(install.install, text=install.text)
        keep_open(IndexState, reason="How far an index is says nothing of the organisation.")
        policies.install()
        naming.install()
        history.install()
        import_policies.install()
        add_nav("", label="Home", url_name="home", icon="home", order=0)
        add_nav_source("Collections", nav)
