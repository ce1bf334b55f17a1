"""Models of the trail."""

from audit.models.annexed import AnnexedEvent, AnnexedKey, AnnexedPrivate, AnnexedSegment, AnnexedTrail, Why
from audit.models.event import Epoch, Event, Private, Segment, TrailIsAppendOnly

__all__ = [
    "AnnexedEvent",
    "AnnexedKey",
    "AnnexedPrivate",
    "AnnexedSegment",
    "AnnexedTrail",
    "Epoch",
    "Event",
    "Private",
    "Segment",
    "TrailIsAppendOnly",
    "Why",
]
