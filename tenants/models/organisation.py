"""An organisation as the control plane knows it: name, state and placement, and nothing it owns."""

from typing import ClassVar, Self

from django.db import models
from django_tenants.models import TenantMixin

from tenants.models.base import ControlRow
from tenants.models.shard import Shard
from tenants.names import new_content_label
from tenants.placement import Ring, State, Tenant


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Sets of organisations."""

    def placed(self) -> Self:
        """Return the organisations that have data somewhere."""
        return self.exclude(state=State.GONE)


class Organisation(TenantMixin, ControlRow):  # type: ignore[misc]  # django-tenants has no types
    """One tenant. `schema_name` is also the name of its database role; it is generated and never changes."""

    # Provisioning is ours (operations.actions.provisioning): the library's would drop data on an error.
    auto_create_schema = False
    auto_drop_schema = False

    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    # One random label, so that uploaded files of two organisations never share an origin.
    content_label = models.CharField(max_length=24, unique=True, default=new_content_label)
    state = models.CharField(
        max_length=12,
        default=State.TRIAL,
        choices=[(state.value, state.value.capitalize()) for state in State],
    )
    state_reason = models.CharField(max_length=300, blank=True, default="")
    shard = models.ForeignKey(Shard, on_delete=models.PROTECT, related_name="organisations")
    epoch = models.PositiveIntegerField(default=1, help_text="Counts placements; raised by each move.")
    release = models.CharField(max_length=40, default="current")
    region = models.CharField(max_length=40, blank=True, default="")
    ring = models.CharField(
        max_length=12,
        default=Ring.EVERYBODY,
        db_default=Ring.EVERYBODY,
        choices=[(ring.value, ring.value.capitalize()) for ring in Ring],
        help_text="Who gets migrations when: each ring follows the one before it.",
    )
    customer = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="The customer on whose own server it must live; empty for a shard that all share.",
    )
    part_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="parts",
        help_text="The organisation that it has become a part of, or is becoming one.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_active_at = models.DateTimeField(null=True, blank=True)
    people_count = models.PositiveIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    figures_at = models.DateTimeField(
        null=True, blank=True, help_text="When people, size and last activity were looked up."
    )

    objects: ClassVar[models.Manager["Organisation"]] = OrganisationQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        indexes = (
            # Whose figures are the oldest.
            models.Index(models.F("figures_at").asc(nulls_first=True), name="organisation_figures"),
        )
        constraints = [
            models.CheckConstraint(
                name="organisation_schema_is_generated",
                condition=models.Q(schema_name__regex=r"^t_[a-z0-9]{20}$"),
            ),
            models.CheckConstraint(
                name="organisation_state_is_known",
                condition=models.Q(state__in=[state.value for state in State]),
            ),
            models.CheckConstraint(
                name="organisation_ring_is_known",
                condition=models.Q(ring__in=[ring.value for ring in Ring]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def primary_host(self) -> str:
        """Return the stored host that links are built from, never the request's."""
        domain = self.domains.filter(is_primary=True).first()
        return str(domain.domain) if domain else ""

    def placement(self) -> Tenant:
        """Return where this organisation lives, as a plain value."""
        return Tenant(
            id=self.pk,
            slug=str(self.slug),
            name=str(self.name),
            schema=str(self.schema_name),
            alias=str(self.shard_id),
            epoch=int(self.epoch),
            release=str(self.release),
            state=State(self.state),
            host=self.primary_host,
        )

    def move_to(self, state: State, *, reason: str) -> None:
        """Change the state, writing only the columns that say so."""
        self.state, self.state_reason = state.value, reason[:300]
        type(self).objects.filter(pk=self.pk).update(state=self.state, state_reason=self.state_reason)
