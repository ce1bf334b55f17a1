"""Where links in mails lead: the stored primary host of the organisation, never the request's."""

from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.signing import Signer
from django.urls import reverse

from tenants.addresses import site_url
from tenants.context import required
from tenants.models import Domain


def absolute(path: str) -> str:
    """Return the full address of a path at the organisation (or console) that is being worked for."""
    return site_url(own_host()) + path


def link_to(name: str, *args: object, **kwargs: object) -> str:
    """Return the full address of a named page of the organisation being worked for; needs no request."""
    return absolute(reverse(name, args=args, kwargs=kwargs, urlconf=settings.URLCONF_TENANT))


def own_host() -> str:
    """Return the primary host of the organisation being worked for, or the operators' host."""
    organisation = required().organisation
    if organisation is None:
        return str(settings.OPERATORS_HOST)
    stored = Domain.objects.filter(tenant_id=organisation.id, is_primary=True).values_list(
        "domain", flat=True
    )
    return str(stored.get())


def bind(key: str) -> str:
    """Return a key of allauth signed for this organisation: its own holds in every schema alike."""
    return _signer().sign(key)


def unbind(bound: str) -> str:
    """Return what `bind` was given; raise django.core.signing.BadSignature for another organisation's."""
    return _signer().unsign(bound)


def _signer() -> Signer:
    organisation = required().organisation
    # The schema too: what was sent before an organisation left is nothing when it has come back.
    whose = f"{organisation.id.hex}:{organisation.schema}" if organisation else "operators"
    return Signer(salt=f"link:{whose}")


def is_path_here(target: str) -> bool:
    """Return whether `target` is a path on this host and can be nothing else, however a browser reads it."""
    decoded = unquote(target)
    for text in (target, decoded):
        if not text.startswith("/") or text.startswith("//"):
            return False
        if "\\" in text or any(ord(char) < 32 or ord(char) == 127 for char in text):
            return False
    # An "@" is only dangerous before the path begins, which the checks above exclude.
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc
