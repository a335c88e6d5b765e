"""The other half of every failure's story: what AWS or a worker said, in the log and nowhere else.

A tenant's object says why in a sentence of ours (`confidential`). The line here has the rest under the same kind, namespace,
name and uid, once, and again when the same is still so after a while: an object that is tried again for hours would fill the
log otherwise.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

import structlog

from avatar_operator.backends.attempts import ArtifactFindings, AttemptFailed
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.confidential import Confidential

AGAIN_SECONDS = 600.0
MAX_REMEMBERED = 10_000
logger = structlog.get_logger(__name__)


class FailureLog:
    """Writes down what was said of failures.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._written: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def failed(self, verb: str, error: BackendError) -> None:
        """A verb failed."""
        self._write(verb, error.reason, error.said)

    def answered(self, verb: str, result: object) -> None:
        """A verb has an answer, which may be that a worker failed."""
        match result:
            case AttemptFailed(reason=reason, said=said):
                self._write(verb, reason, said)
            case ArtifactFindings(defect=defect, said=said) if defect:
                self._write(verb, "ArtifactInvalid", said)

    def _write(self, verb: str, reason: str, said: Confidential) -> None:
        if not said:
            return
        now, what = self._clock(), (self._about(), verb, reason)
        is_new = now - self._written.get(what, -AGAIN_SECONDS) >= AGAIN_SECONDS
        if is_new:
            self._written[what] = now
            self._written.move_to_end(what)
            if len(self._written) > MAX_REMEMBERED:
                self._written.popitem(last=False)
        write = logger.warning if is_new else logger.debug
        write("a backend failed", op=verb, reason=reason, said=said.reveal())

    def _about(self) -> str:
        """The object whose pass this is; the line has it from the same place."""
        return str(structlog.contextvars.get_contextvars().get("uid", ""))
