"""Secrets at rest: a ring of keys, and from each a key of its own for every organisation.

ENCLAVE_KEYS holds `id:key` pairs; the first encrypts, all decrypt. What is stored begins with the
id of its key, so a key can be retired when nothing names it any more.
"""

import base64
import hashlib
from functools import lru_cache
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from tenants.context import required


class Unreadable(ValueError):
    """The text was not encrypted for this organisation, or its key has left the ring."""


def seal(text: str) -> str:
    """Encrypt text for the organisation (or the operators) that the current code works for."""
    return _sealed(text, _scope())


def unseal(sealed: str) -> str:
    """Return what `seal` was given; raise Unreadable for anything else."""
    return _opened(sealed, _scope())


def resealed(sealed: str, *, of: UUID, to: UUID) -> str:
    """Encrypt for another organisation what was encrypted for one; raise Unreadable if it was not."""
    return _sealed(_opened(sealed, of.hex), to.hex)


def box(purpose: str) -> MultiFernet:
    """Return what encrypts, and tells whether something is ours, for a purpose of the whole installation.

    The first key of the ring encrypts, all decrypt.
    """
    return MultiFernet([_key(secret, f"purpose:{purpose}") for secret in _ring().values()])


def _sealed(text: str, scope: str) -> str:
    key_id = next(iter(_ring()))
    return f"{key_id}:{_key(_ring()[key_id], scope).encrypt(text.encode()).decode()}"


def _opened(sealed: str, scope: str) -> str:
    key_id, _, token = sealed.partition(":")
    secret = _ring().get(key_id)
    if secret is None:
        raise Unreadable(f"There is no key {key_id[:20]!r} in the ring.")
    try:
        return _key(secret, scope).decrypt(token.encode()).decode()
    except InvalidToken as problem:
        raise Unreadable("The text was encrypted for somebody else, or changed.") from problem


def _scope() -> str:
    organisation = required().organisation
    return organisation.id.hex if organisation else "operators"


def _ring() -> dict[str, str]:
    keys: tuple[str, ...] = settings.ENCLAVE_KEYS
    if keys:
        return parse_ring(keys)
    if not settings.DEVELOPMENT:
        raise ImproperlyConfigured("ENCLAVE_KEYS is not set.")
    return {"development": hashlib.sha256(b"keys" + settings.SECRET_KEY.encode()).hexdigest()}


@lru_cache(maxsize=4)
def parse_ring(keys: tuple[str, ...]) -> dict[str, str]:
    """Return the ring from its settings; raise ImproperlyConfigured for a key that is not `id:secret`."""
    ring = dict(pair.split(":", 1) for pair in keys if ":" in pair)
    if len(ring) != len(keys) or not all(name.isalnum() and len(key) >= 32 for name, key in ring.items()):
        raise ImproperlyConfigured("ENCLAVE_KEYS is a list of id:key, each key of 32 characters or more.")
    return ring


@lru_cache(maxsize=4096)
def _key(secret: str, scope: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=b"enclave at rest", info=scope.encode()).derive(
        secret.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))
