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


@dataclass(frozen=True)
class Call:
    """One API call that was answered.

    Attributes:
        sequence: 1 for the first call since the server started; never reused.
        time: when it was answered, ISO 8601 in UTC.
        api: the operation's name, for example `InvokeEndpointAsync`.
        account, region: whose call it was.
        parameters: its parameters by their API names, without bodies.
        status: the HTTP status of the answer.
        error: AWS's error code, or None.
    """

    sequence: int
    time: str
    api: str
    account: str
    region: str
    parameters: Mapping[str, Any]
    status: int
    error: str | None


class CallLog:
    """The last `MAX_CALLS` calls, and how often each API has been called in all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self._totals: Counter[str] = Counter()
        self._sequence = 0

    def record(
        self,
        time: str,
        api: str,
        account: str,
        region: str,
        parameters: Mapping[str, Any],
        status: int,
        error: str | None,
    ) -> None:
        with self._lock:
            self._sequence += 1
            self._totals[api] += 1
            self._calls.append(Call(self._sequence, time, api, account, region, parameters, status, error))

    def clear(self) -> None:
        """Forget the calls and the totals, not the sequence."""
        with self._lock:
            self._calls.clear()
            self._totals.clear()

    def listing(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        """The calls whose api, region, account, status, error or any parameter equals what is wanted.

        Arguments:
            wanted: for example `{"api": "InvokeEndpointAsync", "InferenceId": "train-1"}`.

        Returns:
            `{"calls": [...], "totals": {api: count}}`; totals are not filtered.
        """
        with self._lock:
            calls, totals = list(self._calls), dict(self._totals)
        return {"calls": [asdict(call) for call in calls if _matches(call, wanted)], "totals": totals}


def _matches(call: Call, wanted: Mapping[str, str]) -> bool:
    own = {
        "api": call.api,
        "account": call.account,
        "region": call.region,
        "status": call.status,
        "error": call.error,
    }
    return all(str(own.get(name, call.parameters.get(name))) == value for name, value in wanted.items())
