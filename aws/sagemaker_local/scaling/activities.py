"""What was scaled and why: the record behind DescribeScalingActivities.

The words are AWS's: "Setting desired instance count to 2.", "monitor alarm X in state ALARM triggered policy Y", "minimum
capacity was set to 1". An alarm that changed nothing leaves a not-scaled activity, which is listed only with
IncludeNotScaledActivities; the same reason is recorded once until something else happens.

Sources: ScalingActivity in the API reference; "Scaling activities for Application Auto Scaling" in the user guide.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagemaker_local.scaling.policies import DIMENSION

MAX_ACTIVITIES = 10_000


@dataclass
class Activity:
    """One attempt to change a variant's instance count.

    Attributes:
        before, after: instance counts; equal for a not-scaled activity.
        cooldown: AWS seconds after its end, of the policy that caused it.
        not_scaled: the reason, by NotScaledReason's member names.
    """

    account: str
    region: str
    resource_id: str
    cause: str
    before: int
    after: int
    started: datetime
    cooldown: float = 0.0
    not_scaled: Mapping[str, Any] | None = None
    status: str = "InProgress"
    message: str = ""
    ended: datetime | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def succeed(self, at: datetime) -> None:
        """The variant has the wanted number of instances."""
        self.status, self.ended = "Successful", at
        self.message = f"Successfully set desired instance count to {self.after}. Change successfully fulfilled by sagemaker."

    def fail(self, at: datetime, reason: str) -> None:
        """The variant could not be changed."""
        self.status, self.ended = "Failed", at
        self.message = f"Failed to set desired instance count to {self.after}. Reason: {reason}"

    def described(self) -> dict[str, Any]:
        """As in DescribeScalingActivities. Times are epoch seconds."""
        described: dict[str, Any] = {
            "ActivityId": self.id,
            "ServiceNamespace": "sagemaker",
            "ResourceId": self.resource_id,
            "ScalableDimension": DIMENSION,
            "Description": f"Setting desired instance count to {self.after}.",
            "Cause": self.cause,
            "StartTime": self.started.timestamp(),
            "StatusCode": self.status,
        }
        if self.not_scaled is not None:
            described["Description"] = "Attempting to scale due to alarm triggered"
            described["NotScaledReasons"] = [dict(self.not_scaled)]
        if self.message:
            described["StatusMessage"] = self.message
        if self.ended is not None:
            described["EndTime"] = self.ended.timestamp()
        return described


class ActivityLog:
    """The last `MAX_ACTIVITIES` activities of all accounts and regions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._activities: deque[tuple[int, Activity]] = deque(maxlen=MAX_ACTIVITIES)
        self._sequence = 0

    def start(self, activity: Activity) -> None:
        """Record an attempt; it is still open and tells its end itself."""
        activity.message = (
            f"Successfully set desired instance count to {activity.after}. "
            "Waiting for change to be fulfilled by sagemaker."
        )
        self._append(activity)

    def not_scaled(self, activity: Activity) -> None:
        """Record that an alarm changed nothing, unless the latest activity of the resource says the same."""
        latest = self._latest(activity)
        if latest is not None and (latest.not_scaled, latest.cause) == (activity.not_scaled, activity.cause):
            return
        activity.status, activity.ended = "Failed", activity.started
        self._append(activity)

    def clear(self) -> None:
        with self._lock:
            self._activities.clear()

    def page(
        self,
        account: str,
        region: str,
        resource_id: str | None,
        with_not_scaled: bool,
        before: int | None,
        most: int,
    ) -> tuple[list[Activity], int | None]:
        """Some activities, newest first.

        Arguments:
            before: only those recorded before this number; None for all.

        Returns:
            The activities, and the number to go on before; None when there are no more.
        """
        with self._lock:
            wanted = [
                (number, activity)
                for number, activity in reversed(self._activities)
                if (activity.account, activity.region) == (account, region)
                and resource_id in (None, activity.resource_id)
                and (with_not_scaled or activity.not_scaled is None)
                and (before is None or number < before)
            ]
        page = wanted[:most]
        return [activity for _, activity in page], page[-1][0] if len(wanted) > most else None

    def _append(self, activity: Activity) -> None:
        with self._lock:
            self._sequence += 1
            self._activities.append((self._sequence, activity))

    def _latest(self, like: Activity) -> Activity | None:
        found, _ = self.page(like.account, like.region, like.resource_id, True, None, 1)
        return found[0] if found else None
