"""What operators did, and why."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from tenants.models import ControlRow, Organisation


def label_of(organisation: Organisation) -> str:
    """Return how an act names an organisation, also when that is there no more."""
    return f"{organisation.name} ({organisation.slug})"[:160]


class OperatorAct(ControlRow):
    """One act of an operator on an organisation. Written with the act, never changed."""

    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    operator_label = models.CharField(max_length=254)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.SET_NULL, related_name="acts")
    organisation_label = models.CharField(max_length=160)
    act = models.CharField(max_length=60)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-at",)
        verbose_name = "act of an operator"
        verbose_name_plural = "acts of operators"
        constraints = [models.CheckConstraint(name="act_has_reason", condition=~models.Q(reason=""))]

    @classmethod
    def write(cls, organisation: Organisation, act: str, *, who: str, reason: str) -> "OperatorAct":
        """Write down an act of somebody who is known by label only: it ends in a process of the owner's."""
        return cls.objects.create(
            operator_label=who,
            organisation=organisation,
            organisation_label=label_of(organisation),
            act=act[:60],
            reason=reason[:300],
        )

    def __str__(self) -> str:
        return f"{self.operator_label}: {self.act} {self.organisation_label}"
