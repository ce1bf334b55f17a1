"""Rows of the tenant plane about long work."""

from jobs.models.backfilled import Backfilled
from jobs.models.clock import ClockTime, from_now
from jobs.models.job import ENDED, UNFINISHED, Job, JobState, Lane
from jobs.models.mail import MailState, OutgoingMail

__all__ = [
    "ENDED",
    "UNFINISHED",
    "Backfilled",
    "ClockTime",
    "Job",
    "JobState",
    "Lane",
    "MailState",
    "OutgoingMail",
    "from_now",
]
