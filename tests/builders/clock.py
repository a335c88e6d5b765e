"""A clock that stands still until the test moves it."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """The operator's Clock, for unit tests."""

    def __init__(self, instant: datetime = NOON) -> None:
        self._instant = instant

    def now(self) -> datetime:
        """The instant the test set."""
        return self._instant

    def advance(self, seconds: float) -> None:
        """Move time on."""
        self._instant += timedelta(seconds=seconds)
