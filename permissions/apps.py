"""Roles, groups, grants and the policies that read them."""

from importlib import import_module

from django.apps import AppConfig


class PermissionsConfig(AppConfig):
    """The room `permissions`."""

    name = "permissions"
    label = "permissions"

    def ready(self) -> None:
        """Tell the trail what to keep."""
        import_module("permissions.audit")
