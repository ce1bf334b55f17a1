"""Backfills: filling what a release has added, row by row, in the background. See docs/migrations.md.

    # gear/backfills.py, imported when the app is ready
    @backfill("gear.loudness", model=Speaker, since="gear.0002_loudness", todo=Q(loudness=None))
    def work_out_loudness(rows: QuerySet[Speaker]) -> int:
        return rows.update(loudness=F("watts") / 10)

The function is given some of the rows that still need it, inside the organisation, in one transaction
of a fifth of a second. When no row needs it any more, the organisation's own schema says that it is done.
"""

from jobs.backfills.registry import Backfill, UnknownBackfill, backfill, find, get, names
from jobs.backfills.running import KIND, watch

__all__ = ["KIND", "Backfill", "UnknownBackfill", "backfill", "find", "get", "names", "watch"]
