"""Cache keys which carry the tenant, so that no two organisations ever share one."""

from tenants.context import current


def make_key(key: str, key_prefix: str, version: int) -> str:
    """Return the full key: prefix, version, plane and schema, each with its length.

    With lengths, no choice of names can make ("a", "b:c") and ("a:b", "c") one key.
    """
    context = current()
    scope = f"{context.plane}/{context.schema}" if context is not None else "outside"
    parts = (str(key_prefix), str(version), scope)
    return "".join(f"{len(part)}:{part}" for part in parts) + str(key)
