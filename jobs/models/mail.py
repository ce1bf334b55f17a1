"""A mail on its way out. Text and link are forgotten once the mail server has taken it."""

from typing import ClassVar

from django.db import models

from jobs.models.clock import ClockTime
from jobs.models.job import Job
from tenants.models import TenantRow


class MailState(models.TextChoices):
    """How far a mail has come."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not delivered"


class OutgoingMail(TenantRow):
    """One mail to one address. `text` and `html` are emptied when it has been sent: they may hold links."""

    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True, default="")
    html = models.TextField(blank=True, default="")
    state = models.CharField(max_length=8, choices=MailState.choices, default=MailState.WAITING)
    created_at = models.DateTimeField(db_default=ClockTime(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="mails")

    objects: ClassVar[models.Manager["OutgoingMail"]]

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="mail_state_is_known", condition=models.Q(state__in=MailState.values)
            ),
            models.CheckConstraint(
                name="mail_sent_has_a_time",
                condition=models.Q(state="sent", sent_at__isnull=False)
                | (~models.Q(state="sent") & models.Q(sent_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.subject
