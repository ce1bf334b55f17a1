from typing import Any

from django.apps import AppConfig
from django.core.validators import validate_email
from django.forms import ChoiceField, Field, FileField, MultipleChoiceField
from django.utils.translation import gettext_lazy as _

# What a form says where nothing was given; the more general kinds first.
_MISSING: dict[type[Field], Any] = {
    Field: _("Fill this in."),
    ChoiceField: _("Choose one."),
    MultipleChoiceField: _("Choose at least one."),
    FileField: _("Choose a file."),
}


class UiConfig(AppConfig):
    name = "config.ui"
    label = "ui"
    verbose_name = "Look and components"

    def ready(self) -> None:
        """Let every form say what to do, where Django's own words say what is wrong."""
        for kind, words in _MISSING.items():
            kind.default_error_messages = {**kind.default_error_messages, "required": words}
        validate_email.message = _("Write an e-mail address, such as mira@example.org.")
