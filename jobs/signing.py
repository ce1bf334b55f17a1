"""Signatures of messages: who can write to the broker cannot make a worker act."""

import json
from collections.abc import Mapping

from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

HEADER = "enclave_signature"


def signed(task: str, arguments: Mapping[str, object]) -> dict[str, str]:
    """Return the header that proves a message came from this installation."""
    return {HEADER: _signer().signature(_text(task, arguments))}


def is_genuine(task: str, arguments: Mapping[str, object], signature: object) -> bool:
    """Return whether `signature` is ours for exactly this task and these arguments."""
    if not isinstance(signature, str):
        return False
    try:
        text = _text(task, arguments)
    except (TypeError, ValueError):
        return False
    return _signer().unsign_matches(text, signature)


class _MessageSigner(Signer):
    def unsign_matches(self, text: str, signature: str) -> bool:
        """Compare in constant time, with the keys being retired as well."""
        keys = [self.key, *self.fallback_keys]
        return any(constant_time_compare(signature, self.signature(text, key)) for key in keys)


def _signer() -> _MessageSigner:
    return _MessageSigner(salt="enclave.jobs.message")


def _text(task: str, arguments: Mapping[str, object]) -> str:
    return json.dumps([task, dict(arguments)], sort_keys=True, separators=(",", ":"))
