"""People: invitations, memberships, sign-in, sessions."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room `accounts`."""

    name = "accounts"
    label = "accounts"

    def ready(self) -> None:
        # All of these register something, and need the loaded apps.
        from importlib import import_module

        for name in ("access", "audit", "jobs", "people_page", "signals", "sweeps"):
            import_module(f"accounts.{name}")
        from django.core.checks import Tags, register

        from accounts.middleware.profile import look
        from config.frame import add_nav, answer_look
        from config.startup import logins_are_small
        from permissions import perms

        register(logins_are_small, Tags.database)
        answer_look(look)
        add_nav(
            "Organisation",
            label="Settings",
            url_name="accounts:settings",
            icon="cog-6-tooth",
            permission=perms.SETTINGS_CHANGE,
            order=90,
        )
