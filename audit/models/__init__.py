"""Models of the trail."""

from audit.models.event import Epoch, Event, Private, Segment, TrailIsAppendOnly

__all__ = ["Epoch", "Event", "Private", "Segment", "TrailIsAppendOnly"]
