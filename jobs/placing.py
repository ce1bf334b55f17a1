"""Finding an organisation's place anew, because a message may be older than a move."""

from uuid import UUID

from tenants.models import Organisation, Release, ReleaseState
from tenants.placement import Tenant


def resolve(organisation_id: UUID) -> Tenant | None:
    """Return where an organisation lives now, or None when there is no such organisation."""
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    return organisation.placement() if organisation is not None else None


def is_served(release: str) -> bool:
    """Return whether a release has workers of its own."""
    return Release.objects.filter(name=release, state=ReleaseState.OPEN).exists()
