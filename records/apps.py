"""Collections, fields, records, files, import."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The room `records`."""

    name = "records"
    label = "records"
