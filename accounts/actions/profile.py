"""The organisation's profile: name, mark, colour, time zone and logo."""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from PIL import Image, UnidentifiedImageError

from accounts.identity.models import User
from accounts.models import OrganisationProfile
from accounts.models.profile import PROFILE_ID
from accounts.refusals import NotAnImage
from config.ui.brand import brand_css
from config.ui.colour import Colour
from permissions import perms
from permissions.ladder import acting
from tenants import hosts
from tenants.context import current_tenant
from tenants.models import Organisation
from tenants.prepared import Prepared

# Pixels on the longer side, and bytes that are read at all.
LOGO_SIZE = 512
LOGO_READ = 5 * 1024 * 1024
_MOST_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


@dataclass(frozen=True, slots=True)
class Look:
    """What can be said about an organisation on its settings page."""

    display_name: str
    mark: str
    accent: Colour
    time_zone: str


def load() -> OrganisationProfile:
    """Return the profile of the organisation entered; an unsaved one, with the usual, if it has none yet.

    The logo itself is not loaded.
    """
    found = _PROFILE()
    return found[0] if found else OrganisationProfile(pk=PROFILE_ID)


# Asked by every request.
_PROFILE = Prepared(lambda: OrganisationProfile.objects.defer("logo").filter(pk=PROFILE_ID))


def accent_digest(accent: str) -> str:
    """Return what names the stylesheet of a colour; it changes when the way of making one does, too."""
    return hashlib.sha256(brand_css(Colour.parse(accent)).encode()).hexdigest()[:12]


@transaction.atomic
def change(*, look: Look, by: User, at: datetime) -> OrganisationProfile:
    """Write the profile; the name in the control plane follows after the commit. Raises NotAllowed."""
    acting(by, perm=perms.SETTINGS_CHANGE, at=at)
    profile, _ = OrganisationProfile.objects.update_or_create(
        pk=PROFILE_ID,
        defaults={
            "display_name": look.display_name.strip(),
            "mark": look.mark.strip(),
            "accent": str(look.accent),
            "time_zone": look.time_zone,
        },
    )
    if profile.display_name:
        transaction.on_commit(partial(_rename, current_tenant().id, profile.display_name))
    return profile


def _rename(organisation_id: UUID, name: str) -> None:
    Organisation.objects.filter(pk=organisation_id).update(name=name)
    hosts.forget()


@transaction.atomic
def change_logo(*, content: bytes | None, by: User, at: datetime) -> None:
    """Draw a logo anew as PNG of at most 512 pixels and keep it; None takes it away.

    Raises NotAllowed, NotAnImage.
    """
    acting(by, perm=perms.SETTINGS_CHANGE, at=at)
    png = redraw(content) if content is not None else None
    digest = hashlib.sha256(png).hexdigest()[:16] if png else ""
    OrganisationProfile.objects.update_or_create(pk=PROFILE_ID, defaults={"logo": png, "logo_digest": digest})


def redraw(content: bytes) -> bytes:
    """Return an image drawn anew: only its pixels are left, no vectors, no metadata. Raises NotAnImage."""
    if len(content) > LOGO_READ:
        raise NotAnImage
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise NotAnImage("This image has too many pixels. Choose a smaller one.")
            image.draft("RGB", (LOGO_SIZE * 2, LOGO_SIZE * 2))
            drawn = image.convert("RGBA")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as problem:
        raise NotAnImage from problem
    drawn.thumbnail((LOGO_SIZE, LOGO_SIZE))
    out = io.BytesIO()
    drawn.save(out, format="PNG", optimize=True)
    return out.getvalue()
