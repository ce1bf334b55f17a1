"""The codes of this room. The other rooms declare theirs in their own `audit.py`."""

from audit.codes import declare


def declare_all() -> None:
    """Declare the codes of the trail itself and of what is refused before any room is asked."""
    declare(
        "trail.erased",
        sentence="{actor} erased what the trail kept about {target}: {reason}",
        label="Personal values erased",
    )
    declare("trail.exported", sentence="{actor} exported the trail", label="Trail exported")
    declare(
        "access.denied",
        sentence="{actor} was not let in: {what}",
        label="Access denied",
    )
    declare(
        "sign_in.failed",
        sentence="Somebody tried to sign in as {address} and failed",
        label="Sign-in failed",
    )
