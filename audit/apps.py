"""The trail: capture, the vocabulary of events, seals and their verifier."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The room `audit`."""

    name = "audit"
    label = "audit"
