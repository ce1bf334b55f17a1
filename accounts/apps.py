"""People: invitations, memberships, sign-in, sessions."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room `accounts`."""

    name = "accounts"
    label = "accounts"

    def ready(self) -> None:
        # All of these register something, and need the loaded apps.
        from importlib import import_module

        for name in ("access", "audit", "jobs", "signals"):
            import_module(f"accounts.{name}")
