"""Celery: it only wakes workers up. What is to be done stands in PostgreSQL."""

import os
from typing import Any

from celery import Celery, signals
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.preloading import preload
from tenants.releases import queue_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
app = Celery("enclave")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def schedule_sweeps(sender: Celery, **_: Any) -> None:
    """Take beat's schedule from what the rooms have registered, which they have done by now."""
    from jobs import sweeps  # the apps must be loaded first

    sender.conf.beat_schedule = sweeps.schedule()


@signals.worker_init.connect
def refuse_a_worker(sender: Any, **_: Any) -> None:
    """End a worker whose login may do too much, before it forks."""
    queues = set(sender.app.amqp.queues.consume_from)
    if settings.DATABASE_LOGIN == "owner" and queues != {queue_of("owner", settings.RELEASE)}:
        raise SystemExit("ENCLAVE_LOGIN is owner; such a worker serves the queue owner and no other.")
    _refuse_or_start()
    from jobs import turns  # the apps must be loaded first

    place, workers = settings.JOB_WORKER_PLACE
    if workers > 1:
        turns.OwnQueuesFirst.own = turns.part_of(place, workers, settings.JOB_QUEUES)
    preload()


@signals.beat_init.connect
def refuse_beat(**_: Any) -> None:
    """End a beat whose login may do too much."""
    _refuse_or_start()


def _refuse_or_start() -> None:
    if settings.DEVELOPMENT:
        return
    from config.startup import refuse_or_start  # the apps must be loaded first

    try:
        refuse_or_start()
    except ImproperlyConfigured as refusal:
        # Celery writes down what a receiver raises and goes on; this alone ends the process.
        raise SystemExit(str(refusal)) from refusal


@signals.worker_shutting_down.connect
def tell_jobs(**_: Any) -> None:
    """Let long jobs end after their chunk."""
    from jobs.stopping import stop  # the apps must be loaded first

    stop()
