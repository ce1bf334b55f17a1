"""What the workers ask and tell about backfills of the fleet."""

from django.utils import timezone

from operations.backfills.admitting import admit
from operations.models import BackfillState, Progress
from tenants.placement import Tenant


class FleetWatcher:
    """Holds what an operator paused, and writes down how far each organisation is."""

    def held(self, tenant: Tenant, name: str) -> str:
        """Return why an organisation must wait; "" when it may go on."""
        state = (
            BackfillState.objects.filter(organisation_id=tenant.id, backfill__name=name)
            .values_list("state", "backfill__is_paused", "backfill__reason")
            .first()
        )
        if state is None:
            return ""
        mine, is_paused, reason = state
        return f"by an operator: {reason}" if is_paused or mine == Progress.PAUSED else ""

    def told(self, tenant: Tenant, name: str, *, done: int, total: int, is_done: bool) -> None:
        """Write down how far an organisation is, and let the next begin when it is done."""
        states = BackfillState.objects.filter(organisation_id=tenant.id, backfill__name=name)
        if not is_done:
            states.filter(state=Progress.RUNNING).update(done=done, total=total, looked_at=timezone.now())
            return
        states.update(
            state=Progress.DONE, done=total, total=total, note="", error="", ended_at=timezone.now()
        )
        admit()
