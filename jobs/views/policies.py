"""Who sees and stops which job: everybody their own, and others' by permission.

Stands with the views because permissions are a room above this one.
"""

from datetime import datetime

from django.db.models import Q

from jobs.models import Job
from permissions import perms
from permissions.holder import Holder, Who, holder_for
from permissions.policies import EVERYTHING, NOTHING, ObjectPolicy, register
from permissions.reasons import Reason

JOBS_CHANGE = perms.declare(
    "jobs.change",
    label="Stop and repeat jobs",
    help="Cancel long work of other people, and try it again.",
    doing="stopping and repeating jobs",
    implies=(perms.JOBS_VIEW,),
    roles=(perms.ADMIN,),
)


class JobPolicy(ObjectPolicy[Job]):
    """Jobs cannot be shared: whose they are and the roles decide."""

    view = perms.JOBS_VIEW
    grantable = ()
    more = (JOBS_CHANGE,)
    noun = "job"
    every_noun = "all jobs"

    def condition(self, holder: Holder, perm: str) -> Q:
        """Return the condition under which a holder may do `perm` to a job."""
        if not holder.is_member:
            return NOTHING
        return EVERYTHING if perm in holder.held else Q(created_by_id=holder.user_id)

    def why(self, who: Who, obj: Job, at: datetime) -> list[Reason]:
        """Return what lets a person at a job: that it is theirs, or their role."""
        holder = holder_for(who, at=at)
        found = []
        if holder.is_member and obj.created_by_id is not None and obj.created_by_id == holder.user_id:
            found.append(Reason("Asked for it", "person", frozenset({self.view, JOBS_CHANGE})))
        by_role = holder.held & {self.view, JOBS_CHANGE}
        if by_role and holder.role is not None:
            found.append(Reason(f"{holder.role.name} of the organisation", "role", by_role))
        return found


register(Job, JobPolicy)
