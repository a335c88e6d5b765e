"""The alarms that roll an update back.

They are asked for through CloudWatch's own API, on behalf of whoever created the endpoint; scaling/ evaluates them as it does
all alarms, and SetAlarmState works on them at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from sagemaker_local.aws_clients import AwsClients, Scope

ASK_SECONDS = 1.0


class RollbackAlarms:
    """Asks for the alarms in the account and region of an endpoint."""

    def __init__(self, clients: AwsClients, scope: Scope) -> None:
        self._clients = clients
        self._scope = scope

    def objection(self, names: Sequence[str]) -> str:
        """Why an update must not go on, as a sentence: an alarm is in ALARM, or is missing. Empty when it may."""
        if not names:
            return ""
        answer = self._clients.client("cloudwatch", self._scope).describe_alarms(
            AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
        for name in names:
            if name not in states:
                return f"The alarm {name} of the deployment's AutoRollbackConfiguration does not exist."
            if states[name] == "ALARM":
                return f"The deployment was rolled back because the alarm {name} is in ALARM."
        return ""

    def watch(self, names: Sequence[str], seconds: float, ended: threading.Event) -> str:
        """Ask again and again for so many real seconds, or until `ended`.

        Returns:
            The first objection, or an empty string.
        """
        deadline = time.monotonic() + seconds
        while True:
            objection = self.objection(names)
            left = deadline - time.monotonic()
            if objection or left <= 0 or ended.wait(min(left, ASK_SECONDS)):
                return objection
