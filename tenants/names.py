"""Names: the generated identifier of a schema and its role, and the rules for slugs."""

import re
import secrets
import string

from tenants.refusals import Refusal

SCHEMA_PATTERN = re.compile(r"^t_[a-z0-9]{20}$")
TEMPLATE_SCHEMA = "t_template000000000000"
_ALPHABET = string.ascii_lowercase + string.digits

SLUG_PATTERN = re.compile(r"^[a-z0-9](?:[a-z0-9-]{1,38})[a-z0-9]$")
RESERVED_SLUGS = frozenset(
    """
    admin api app apps assets auth billing blog cdn console content dashboard dev docs download email
    enclave example files ftp help host id imap internal localhost login mail media mx ns ns1 ns2
    operators ops pop postmaster public root security signin signup smtp ssl static status support
    system test webmail webmaster www
    """.split()  # noqa: SIM905  # words are read and changed more easily this way
)


class BadSlug(Refusal):
    """The wished address cannot be given to an organisation."""

    code = "bad-slug"
    status = 422


def new_schema_name() -> str:
    """Return a fresh identifier for a schema and its role: `t_` and 20 characters of [a-z0-9]."""
    return "t_" + "".join(secrets.choice(_ALPHABET) for _ in range(20))


def new_content_label() -> str:
    """Return a fresh random label for the host of an organisation's files."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(24))


def checked_schema_name(name: str) -> str:
    """Return `name` if it has the form of a tenant's schema; raise ValueError otherwise.

    Called before a name is put into SQL as an identifier, where parameters cannot stand.
    """
    if not SCHEMA_PATTERN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a tenant's schema")
    return name


def checked_slug(slug: str) -> str:
    """Return the slug if an organisation may have it; raise BadSlug with the reason otherwise."""
    if not SLUG_PATTERN.fullmatch(slug):
        raise BadSlug(
            "Use 3 to 40 lower-case letters, digits and hyphens; start and end with a letter or digit."
        )
    if "--" in slug:
        raise BadSlug("Use single hyphens only.")
    if slug in RESERVED_SLUGS:
        raise BadSlug(f"The address “{slug}” is reserved. Choose another one.")
    return slug
