"""What the trail captures of the apps that are not ours: Django's, guardian's and allauth's.

The rooms register their own models in their `audit.py`, after this, and may say otherwise there.
"""

from typing import Any

from django.apps import apps
from django.db.models import Model

from audit.registry import trail

_EXCLUDED = {
    "contenttypes.ContentType": "Written by migrations only, and the same in every organisation.",
    "auth.Permission": "Written by migrations only, and the same in every organisation.",
    "sessions.Session": "Rows are technical and short-lived; signing in and out are events of intent.",
    "usersessions.UserSession": "Touched by every request; signing in and out are events of intent.",
    "auditlog.LogEntry": "Never written; the trail is shown to django-auditlog's tools through a view.",
    "audit.Event": "The trail itself.",
    "audit.Private": "The trail itself.",
    "audit.Epoch": "The trail itself.",
    "audit.Segment": "The trail itself.",
    "audit.AnnexedTrail": "Trails of others, as they were.",
    "audit.AnnexedEvent": "Trails of others, as they were.",
    "audit.AnnexedPrivate": "Trails of others, as they were.",
    "audit.AnnexedSegment": "Trails of others, as they were.",
    "audit.AnnexedKey": "Which ids of theirs are which here.",
}


# What is personal, masked and left out in theirs; `subject` says whose it is.
_REGISTERED: dict[str, dict[str, Any]] = {
    "identity.User": {
        "exclude_fields": ["last_login"],
        "mask_fields": ["password"],
        "personal": ["email", "name"],
    },
    "auth.Group": {},
    "account.EmailAddress": {"personal": ["email"], "subject": "user"},
    "account.EmailConfirmation": {"mask_fields": ["key"]},
    "mfa.Authenticator": {"exclude_fields": ["last_used_at"], "mask_fields": ["data"], "subject": "user"},
    "guardian.UserObjectPermission": {},
    "guardian.GroupObjectPermission": {},
}


def register_all() -> None:
    """Register or exclude each that is installed; the start-up check names whatever is left over."""
    for label, reason in _EXCLUDED.items():
        if model := _installed(label):
            trail.exclude(model, reason=reason)
    for label, options in _REGISTERED.items():
        if model := _installed(label):
            trail.register(model, **options)
            _register_links(model)


def _register_links(model: type[Model]) -> None:
    """Register the hidden tables behind many-to-many fields: memberships of groups, rights of groups."""
    for field in model._meta.many_to_many:
        through: Any = field.remote_field.through
        if through._meta.auto_created:
            trail.register(through)


def _installed(label: str) -> type[Model] | None:
    try:
        return apps.get_model(label)
    except LookupError:
        return None
