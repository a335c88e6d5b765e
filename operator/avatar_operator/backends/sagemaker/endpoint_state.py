"""What to do about an endpoint, and what to say about it, from one description of it. Pure.

Source of the states: SageMaker API Reference, DescribeEndpoint, EndpointStatus. DeleteEndpoint is the only operation
that a Failed endpoint takes; after a roll that failed SageMaker goes on serving the old configuration and leaves a
FailureReason behind.

An endpoint that failed has to be mended by a person, with one exception: machines of the wanted kind may be all taken
just now. That passes, so the same is tried again after a while.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from avatar_api.avatar_runtime import EndpointStatus
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.backends.sagemaker.endpoint_plan import Role

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef

ABSENT = "Absent"
CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
SERVING = frozenset({"InService", "Updating", "SystemUpdating"})
BROKEN = frozenset({"Failed", "UpdateRollbackFailed"})
MAX_REASON = 600
CAPACITY_PAUSE = timedelta(minutes=10)
"""Between two tries to get machines that AWS did not have."""
_NO_CAPACITY = re.compile(r"\A(?:CapacityError: )?Unable to provision requested ML compute capacity")


@dataclass(frozen=True)
class DescribedEndpoint:
    """An endpoint as SageMaker describes it; `state` is Absent if there is none."""

    role: Role
    name: str
    state: str = ABSENT
    arn: str = ""
    config_name: str = ""
    pending_config_name: str = ""
    instances: int | None = None
    desired_instances: int | None = None
    failure_reason: str = ""
    modified: datetime | None = None
    output_path: str | None = None
    failure_path: str | None = None
    is_asynchronous: bool = False

    @property
    def exists(self) -> bool:
        """Whether there is such an endpoint, in whatever state."""
        return self.state != ABSENT

    @property
    def lacks_capacity(self) -> bool:
        """Whether it failed because AWS had no machine of its kind."""
        return _NO_CAPACITY.match(self.failure_reason) is not None

    def serves(self, config_name: str) -> bool:
        """Whether it serves a configuration and stays with it: in service, or just getting more or fewer instances."""
        return (
            self.state in SERVING
            and self.config_name == config_name
            and self.pending_config_name in ("", config_name)
        )

    def status(self) -> EndpointStatus:
        """The endpoint as the runtime's status shows it."""
        return EndpointStatus(
            role=self.role,
            name=self.name,
            state=self.state,
            instances=self.instances,
            config_name=self.config_name or None,
        )


def described(role: Role, answer: "DescribeEndpointOutputTypeDef") -> DescribedEndpoint:
    """What matters of DescribeEndpoint's answer."""
    variants = answer.get("ProductionVariants", [])
    asynchronous = answer.get("AsyncInferenceConfig")
    output = asynchronous["OutputConfig"] if asynchronous else {}
    return DescribedEndpoint(
        role=role,
        name=answer["EndpointName"],
        state=answer["EndpointStatus"],
        arn=answer["EndpointArn"],
        config_name=answer.get("EndpointConfigName", ""),
        pending_config_name=answer.get("PendingDeploymentSummary", {}).get("EndpointConfigName", ""),
        instances=sum(variant.get("CurrentInstanceCount", 0) for variant in variants) if variants else None,
        desired_instances=(
            sum(variant.get("DesiredInstanceCount", 0) for variant in variants) if variants else None
        ),
        failure_reason=answer.get("FailureReason", "")[:MAX_REASON],
        modified=answer.get("LastModifiedTime"),
        output_path=output.get("S3OutputPath"),
        failure_path=output.get("S3FailurePath"),
        is_asynchronous=asynchronous is not None,
    )


class EndpointStep(Enum):
    """What brings an endpoint nearer to its plan."""

    CREATE = "Create"
    ROLL = "Roll"
    REPLACE = "Replace"
    WAIT = "Wait"
    NONE = "None"
    GIVE_UP = "GiveUp"
    AWAIT_CAPACITY = "AwaitCapacity"


def next_step(
    endpoint: DescribedEndpoint,
    wanted_config: str,
    *,
    wanted_config_created: datetime | None,
    now: datetime,
) -> EndpointStep:
    """The next step for an endpoint that we manage.

    Args:
        wanted_config: name of the configuration that it shall serve.
        wanted_config_created: when that configuration was made, None if it is not there yet. A roll to it has
            failed before if the endpoint was modified since, carries a reason, and still serves another one.
        now: the instant.
    """
    if not endpoint.exists:
        return EndpointStep.CREATE
    if endpoint.serves(wanted_config):
        return EndpointStep.NONE
    if endpoint.state in CHANGING:
        return EndpointStep.WAIT
    if endpoint.config_name == wanted_config:
        if endpoint.state not in BROKEN:
            return EndpointStep.NONE
        if endpoint.state == "Failed":
            return _after_failure(endpoint, EndpointStep.REPLACE, now)
        return EndpointStep.GIVE_UP
    if endpoint.state == "Failed":
        return EndpointStep.REPLACE
    was_tried = (
        wanted_config_created is not None
        and endpoint.modified is not None
        and wanted_config_created <= endpoint.modified
    )
    if endpoint.failure_reason and was_tried:
        return _after_failure(endpoint, EndpointStep.ROLL, now)
    return EndpointStep.ROLL


def _after_failure(endpoint: DescribedEndpoint, again: EndpointStep, now: datetime) -> EndpointStep:
    if not endpoint.lacks_capacity:
        return EndpointStep.GIVE_UP
    rests = endpoint.modified is not None and now < endpoint.modified + CAPACITY_PAUSE
    return EndpointStep.AWAIT_CAPACITY if rests else again


@dataclass(frozen=True)
class EndpointVerdict:
    """One endpoint in words: `reason` is empty if it serves what it should."""

    endpoint: DescribedEndpoint
    reason: str = ""
    message: str = ""
    failed: bool = False


def managed_verdict(endpoint: DescribedEndpoint, step: EndpointStep) -> EndpointVerdict:
    """What to say of an endpoint that we manage, after its step was started."""
    name = f"endpoint {endpoint.name}"
    match step:
        case EndpointStep.CREATE:
            return EndpointVerdict(endpoint, "Creating", f"{name} is being created")
        case EndpointStep.ROLL:
            return EndpointVerdict(endpoint, "Rolling", f"{name} is rolling to its new configuration")
        case EndpointStep.REPLACE:
            return EndpointVerdict(
                endpoint, "Replacing", f"{name} failed and is being deleted to be made anew"
            )
        case EndpointStep.GIVE_UP:
            return EndpointVerdict(
                endpoint,
                "EndpointFailed",
                f"{name} failed: {endpoint.failure_reason or 'SageMaker gives no reason'}. Correct the AvatarRuntime;"
                " if the cause lay elsewhere and is mended, delete the endpoint and it is made anew.",
                failed=True,
            )
        case EndpointStep.AWAIT_CAPACITY:
            minutes = int(CAPACITY_PAUSE.total_seconds()) // 60
            return EndpointVerdict(
                endpoint,
                "InsufficientCapacity",
                f"{name} gets no machines: {endpoint.failure_reason} The operator tries again {minutes} minutes after"
                " the last try; another instanceType may be free at once.",
            )
        case EndpointStep.WAIT:
            return _as_it_is(endpoint)
        case EndpointStep.NONE:
            return EndpointVerdict(endpoint)


def observed_verdict(endpoint: DescribedEndpoint) -> EndpointVerdict:
    """What to say of an endpoint that somebody else owns: it must be there, and fit for its role."""
    name = f"endpoint {endpoint.name}"
    if not endpoint.exists:
        return EndpointVerdict(
            endpoint,
            "EndpointNotFound",
            f"{name} does not exist, and managementPolicy Observe leaves it to you",
        )
    if endpoint.state in BROKEN:
        return EndpointVerdict(
            endpoint, "EndpointFailed", f"{name} failed: {endpoint.failure_reason}", failed=True
        )
    if endpoint.role == "Training" and not (endpoint.output_path and endpoint.failure_path):
        return EndpointVerdict(
            endpoint,
            "EndpointUnfit",
            f"{name} must be asynchronous with S3OutputPath and S3FailurePath, or failed trainings go unseen",
            failed=True,
        )
    if endpoint.role == "Inference" and endpoint.is_asynchronous:
        return EndpointVerdict(
            endpoint,
            "EndpointUnfit",
            f"{name} is asynchronous, drawing needs a multi-model endpoint",
            failed=True,
        )
    return EndpointVerdict(endpoint) if endpoint.state in SERVING else _as_it_is(endpoint)


def _as_it_is(endpoint: DescribedEndpoint) -> EndpointVerdict:
    return EndpointVerdict(endpoint, endpoint.state, f"endpoint {endpoint.name} is {endpoint.state}")


def facts(verdicts: Sequence[EndpointVerdict]) -> EndpointsFacts:
    """All endpoints in sum; a failed one gives the reason before one that is only under way."""
    statuses = tuple(verdict.endpoint.status() for verdict in verdicts)
    unready = sorted(
        (verdict for verdict in verdicts if verdict.reason), key=lambda verdict: not verdict.failed
    )
    if not unready:
        return EndpointsFacts(True, "InService", "all endpoints serve", statuses)
    return EndpointsFacts(
        ready=False,
        reason=unready[0].reason,
        message="; ".join(verdict.message for verdict in unready),
        endpoints=statuses,
        failed=unready[0].failed,
    )
