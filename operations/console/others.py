"""The other tables of the console."""

from operations.console.meaning import when
from operations.console.tables import ReadOnlyAdmin


class ProvisioningAdmin(ReadOnlyAdmin):
    """The makings of organisations, and what went wrong with them."""

    title = "Makings of organisations"
    nothing_yet = (
        "No organisation was made yet. How each one came to be, and what went wrong, will stand here."
    )
    first = ("admin:organisation-make", "Make the first one")
    list_display = (
        *("slug", "step", "shard", "was_ready"),
        *(when("begun_at", "Begun"), when("ended_at", "Ended"), "error"),
    )
    list_filter = ("step", "shard")
    search_fields = ("slug", "name")


class OperatorActAdmin(ReadOnlyAdmin):
    """What operators did."""

    title = "Acts of operators"
    nothing_yet = "Nobody has done anything yet. What operators do will stand here, each with its reason."
    list_display = (when("at", "At"), "operator_label", "act", "organisation_label", "reason")
    list_filter = ("act",)
    search_fields = ("operator_label", "organisation_label", "reason")


class SignUpAdmin(ReadOnlyAdmin):
    """Wishes for organisations. Tokens are never shown."""

    title = "Sign-ups"
    nothing_yet = "Nobody has asked for an organisation on the public site yet."
    list_display = (
        *("organisation_name", "slug", "email"),
        *(when("asked_at", "Asked"), when("mailed_at", "Mailed"), when("confirmed_at", "Confirmed")),
    )
    exclude = ("token_hash",)


class OperatorAdmin(ReadOnlyAdmin):
    """Who the operators are. They are made by `manage.py operator EMAIL`."""

    title = "Operators"
    lead = "manage.py operator EMAIL makes one, or gives one a new password."
    list_display = (
        "email",
        "name",
        "is_active",
        when("last_login", "Last sign-in"),
        when("joined_at", "Since"),
    )
    fields = ("email", "name", "is_active", "last_login", "joined_at")
