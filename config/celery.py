"""Celery: it only wakes workers up. What is to be done stands in PostgreSQL."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
app = Celery("enclave")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def schedule_sweeps(sender: Celery, **_: Any) -> None:
    """Take beat's schedule from what the rooms have registered, which they have done by now."""
    from jobs import sweeps  # the apps must be loaded first

    sender.conf.beat_schedule = sweeps.schedule()


@signals.worker_shutting_down.connect
def tell_jobs(**_: Any) -> None:
    """Let long jobs end after their chunk."""
    from jobs.stopping import stop  # the apps must be loaded first

    stop()
