"""How a piece of work says "not now"."""


class RetryLaterError(Exception):
    """Try again later; nothing is wrong with the object, so nothing is written to it.

    Attributes:
        at_least: seconds to wait at least; the queue's back-off may make it longer.
    """

    def __init__(self, message: str, *, at_least: float = 0.0) -> None:
        super().__init__(message)
        self.at_least = at_least
