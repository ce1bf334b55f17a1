"""What becomes of a trail when its organisation is joined to another: it is attached whole, as it is."""

from auditlog.models import LogEntry
from django.apps import apps

from tenants.joining import stays

stays(
    *apps.get_app_config("audit").get_models(),
    LogEntry,
    because="A trail is attached whole, beside the other one, and can be verified there as before.",
)
