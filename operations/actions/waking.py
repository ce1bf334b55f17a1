"""Waking the owner's worker."""

from celery import current_app
from django.conf import settings

from jobs.signing import signed
from tenants.releases import queue_of


def wake_owner(task: str, **arguments: str) -> None:
    """Send the owner's worker of this release a message."""
    current_app.send_task(
        task,
        kwargs=arguments,
        queue=queue_of("owner", settings.RELEASE),
        expires=5,  # nobody needs a message that the next sweep has sent again
        headers=signed(task, arguments),
        retry=False,
    )
