"""Roles, groups, grants and the policies that read them."""

from django.apps import AppConfig


class PermissionsConfig(AppConfig):
    """The room `permissions`."""

    name = "permissions"
    label = "permissions"
