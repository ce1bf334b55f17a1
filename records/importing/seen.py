"""Which values a column has shown before, in eight bytes each, however long the file."""

import polars as pl


class Seen:
    """Remembers values by a 64-bit fingerprint.

    Two different values of a table of five million rows share one with a chance of one in a million.
    """

    def __init__(self) -> None:
        self._runs: list[pl.Series] = []

    def repeats(self, values: pl.Series) -> pl.Series:
        """Return for each value whether this piece or an earlier one had it before; nulls never count.

        The values are then remembered.
        """
        prints = values.hash(seed=20_261_123)
        there = values.is_not_null()
        again = ~prints.is_first_distinct() & there
        for run in self._runs:
            again |= _within(prints, run) & there
        self._keep(prints.filter(there).unique().sort())
        return again

    def _keep(self, run: pl.Series) -> None:
        # Runs double in size, so that there are few of them and each value is sorted a few times only.
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = pl.concat([self._runs.pop(), run]).sort()
        if len(run):
            self._runs.append(run)


def _within(prints: pl.Series, run: pl.Series) -> pl.Series:
    places = run.search_sorted(prints).clip(upper_bound=len(run) - 1)
    return run.gather(places) == prints
