"""People: invitations, memberships, sign-in, sessions."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room `accounts`."""

    name = "accounts"
    label = "accounts"

    def ready(self) -> None:
        # All of these register something, and need the loaded apps.
        from importlib import import_module

        for name in ("access", "audit", "jobs", "joining", "people_page", "signals", "sweeps"):
            import_module(f"accounts.{name}")
        from allauth.account.models import EmailAddress, EmailConfirmation
        from allauth.mfa.models import Authenticator
        from django.core.checks import Tags, register

        from accounts.identity.models import Session, User
        from accounts.middleware.profile import look
        from accounts.models import OrganisationAnswer
        from config.frame import add_nav, answer_look
        from config.startup import logins_are_small
        from permissions import perms
        from permissions.access import declared_elsewhere
        from tenants.standstill import keep_answering, keep_open

        keep_open(
            *(User, Session, EmailAddress, EmailConfirmation, Authenticator),
            reason="How people sign in stays theirs, or nobody could come and read.",
        )
        keep_open(
            OrganisationAnswer,
            reason="A default is taken for who is leaving too, or the fleet waits for them.",
        )
        keep_answering(*declared_elsewhere(), "accounts:session-end", "accounts:sessions-end-others")
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
