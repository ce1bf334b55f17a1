"""What is done with jobs: ask for one, cancel it, try it again."""

from jobs.actions.enqueueing import enqueue
from jobs.actions.running import Run
from jobs.actions.stopping import cancel, retry

__all__ = ["Run", "cancel", "enqueue", "retry"]
