"""What becomes of jobs and mails when their organisation is joined to another."""

from jobs.models import Backfilled, Job, OutgoingMail
from tenants.joining import stays

stays(
    Job, because="What ran is told by the trail; what had not ended is named beforehand and does not go on."
)
stays(
    OutgoingMail,
    because="Their texts are forgotten when they are sent; what waits has links of the old address.",
)
stays(
    Backfilled,
    because="It speaks of rows that were there; those that come are brought to the same state first.",
)
