"""Names of releases: a pool of processes for each, and each organisation is placed on one."""

# The release of an installation that has one pool only.
DEFAULT_RELEASE = "current"
# The header in which a process says where a request belongs; the edge follows it and shows it to nobody.
POOL_HEADER = "X-Enclave-Pool"


def queue_of(name: str, release: str) -> str:
    """Return the message queue of a release: its workers hear their own bells only."""
    return name if release == DEFAULT_RELEASE else f"{release}.{name}"
