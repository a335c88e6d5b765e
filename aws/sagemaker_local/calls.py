"""The call log: what reached AWS, as AWS saw it.

Promises such as "one InvokeEndpointAsync per training, whatever crashes" can only be tested at the receiving side. Every
call of the SageMaker family is therefore recorded with its parameters (never its body), and `GET /_sagemaker_local/calls`
lists them.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MAX_CALLS = 50_000


@dataclass(frozen=True, kw_only=True)
class Call:
    """One API call that was answered.

    Attributes:
        time: when it was answered, ISO 8601 in UTC.
        api: the operation's name, for example `InvokeEndpointAsync`.
        account, region: whose call it was.
        parameters: its parameters by their API names, without bodies.
        carried_out: whether it took effect: false for a refused call, true for one whose answer was lost by a fault.
        status: the HTTP status of the answer.
        error: AWS's error code, or None.
    """

    time: str
    api: str
    account: str
    region: str
    parameters: Mapping[str, Any]
    carried_out: bool
    status: int
    error: str | None


class CallLog:
    """The last `MAX_CALLS` calls, and how often each API has been called in all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[tuple[int, Call]] = deque(maxlen=MAX_CALLS)
        self._totals: Counter[str] = Counter()
        self._sequence = 0

    def record(self, call: Call) -> None:
        """Append a call; it is numbered from 1 since the server started, and numbers are never reused."""
        with self._lock:
            self._sequence += 1
            self._totals[call.api] += 1
            self._calls.append((self._sequence, call))

    def clear(self) -> None:
        """Forget the calls and the totals, not the sequence."""
        with self._lock:
            self._calls.clear()
            self._totals.clear()

    def listing(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        """The calls of which every wanted field or parameter has the wanted value.

        Arguments:
            wanted: fields of `Call` or API parameters, with values as text (`true`, `false` for `carried_out`), for example
                `{"api": "InvokeEndpointAsync", "InferenceId": "train-1"}`.

        Returns:
            `{"calls": [...], "totals": {api: count}}`, each call with its `sequence`; totals are not filtered.
        """
        with self._lock:
            calls, totals = list(self._calls), dict(self._totals)
        listed = [
            {"sequence": sequence, **asdict(call)} for sequence, call in calls if _matches(call, wanted)
        ]
        return {"calls": listed, "totals": totals}


def _matches(call: Call, wanted: Mapping[str, str]) -> bool:
    return all(
        _text(getattr(call, name, call.parameters.get(name))) == value for name, value in wanted.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
