"""What the trail of an organisation says of operators' work on the whole of it."""

from audit.codes import declare

declare(
    "organisation.restored",
    sentence="{actor} brought the organisation back to how it was at {to}",
    label="Brought back to an earlier time",
)
declare(
    "organisation.restore_undone",
    sentence="{actor} undid bringing the organisation back",
    label="Bringing back undone",
)
