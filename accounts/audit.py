"""What the trail captures of this room; the twin apps' rows of other people's apps stand in audit.twins."""

from accounts.identity.models import Session
from audit.registry import trail

trail.exclude(Session, reason="Changes with every visit; signing in and out are events of their own.")
