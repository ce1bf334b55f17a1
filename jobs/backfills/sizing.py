"""How many rows at a time: as many as take a fifth of a second."""

from dataclasses import dataclass

AIM_SECONDS = 0.2
FEWEST, MOST = 10, 5_000
FIRST = 200


@dataclass(slots=True)
class Size:
    """The number of rows of the next batch. It doubles at the most and falls to a quarter at the most."""

    rows: int = FIRST

    def took(self, seconds: float) -> None:
        """Learn from how long a batch took."""
        self._set(self.rows * min(2.0, max(0.25, AIM_SECONDS / max(seconds, 0.001))))

    def failed(self) -> bool:
        """Make it a quarter after a batch that took too long; return False when it was the smallest."""
        was = self.rows
        self._set(self.rows / 4)
        return self.rows < was

    def _set(self, rows: float) -> None:
        self.rows = min(MOST, max(FEWEST, int(rows)))
