"""A session: one browser in which somebody is signed in, valid on one host of one organisation."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from tenants.models.base import BelongsToTenant, UUIDv7


class SessionQuerySet(models.QuerySet["Session"]):
    """Sets of sessions."""

    def of(self, user_id: object) -> Self:
        """Return the sessions of one person."""
        return self.filter(user_id=user_id)

    def alive(self, *, at: datetime) -> Self:
        """Return the sessions which neither limit has ended."""
        return self.filter(idle_until__gt=at, ends_at__gt=at)

    def over(self, *, at: datetime) -> Self:
        """Return the sessions which a limit has ended."""
        return self.filter(models.Q(idle_until__lte=at) | models.Q(ends_at__lte=at))


class Session(BelongsToTenant):
    """One signed-in browser.

    The cookie's token is never stored, only its digest. `organisation_id` and `host` say where the
    session is valid: the same cookie on another host is unknown. `version` is the person's
    `session_version` when they signed in; a newer one there ends this session.
    """

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the cookie's token.")
    organisation_id = models.UUIDField(null=True, help_text="Empty for the operators' console.")
    host = models.CharField(max_length=253)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions"
    )
    version = models.PositiveIntegerField(default=0)
    data = models.TextField(help_text="Encrypted with the organisation's key.")
    agent = models.CharField(max_length=200, default="", blank=True)
    address = models.GenericIPAddressField(null=True)
    # When the token was given; a renewed session keeps everything else.
    created_at = models.DateTimeField(default=timezone.now)
    authenticated_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(default=timezone.now)
    idle = models.DurationField(
        default=timedelta(hours=12), help_text="Ends after so long without a request."
    )
    idle_until = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Ends then, whatever happens.")

    objects: ClassVar[SessionQuerySet] = SessionQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        indexes = [
            models.Index(fields=["user", "-last_seen_at"], name="session_of_person"),
            models.Index(fields=["idle_until"], name="session_idle_until"),
        ]

    def __str__(self) -> str:
        return self.short_name

    @property
    def short_name(self) -> str:
        """The end of the id: names the session in the trail and in logs, and opens nothing."""
        return self.id.hex[-12:]

    def is_alive(self, *, at: datetime) -> bool:
        """Return whether neither the idle nor the absolute limit has passed."""
        return at < self.idle_until and at < self.ends_at

    def see(self, *, at: datetime) -> None:
        """Note that the session was used, writing only what that changes."""
        self.last_seen_at = at
        self.idle_until = min(at + self.idle, self.ends_at)
        self.save(update_fields=["last_seen_at", "idle_until"])
