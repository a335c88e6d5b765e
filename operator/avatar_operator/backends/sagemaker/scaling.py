"""Scaling of endpoints that we manage: registered, kept as planned, taken away.

Every look asks what is registered and mends what differs, so that a change in the console does not last. An endpoint
whose number of instances is fixed is asked about once, in case it was scaled before.
"""

from typing import assert_never

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.backends.sagemaker.endpoint_state import DescribedEndpoint
from avatar_operator.backends.sagemaker.scaling_api import ScalingApi
from avatar_operator.backends.sagemaker.scaling_plan import WAKE_POLICY, ScalingPlan
from avatar_operator.backends.sagemaker.scaling_state import (
    DeleteAlarm,
    DeletePolicy,
    Deregister,
    PutAlarm,
    PutPolicy,
    Register,
    ScalingStep,
    SetInstances,
    steps_to,
    steps_to_fixed,
)


class Scaling:
    """Scaling of SageMaker endpoints.

    Args:
        clients: where calls run.
    """

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients
        # Only saves calls: after a restart, every endpoint is asked about once more.
        self._fixed: set[tuple[str, str]] = set()

    async def ensure(
        self, region: str, endpoint: DescribedEndpoint, plan: ScalingPlan | None, *, instances: int
    ) -> None:
        """Have an endpoint in service be scaled as planned, or not at all.

        Args:
            region: its region.
            endpoint: the endpoint as it is.
            plan: how it shall be scaled, None if it shall not.
            instances: how many instances it shall have if it is not scaled.
        """
        api, name = ScalingApi(self._clients, region), endpoint.name
        if plan is not None:
            self._fixed.discard((region, name))
            observed = await api.observe(name)
            arns = {policy: registered.arn for policy, registered in observed.policies.items()}
            for step in steps_to(plan, observed):
                await _take(api, name, step, arns)
        elif (region, name) not in self._fixed and await self._fix(api, endpoint, instances):
            self._fixed.add((region, name))

    async def remove(self, region: str, endpoint_name: str, *, is_scaled: bool) -> None:
        """Take away what is registered for an endpoint that is about to be deleted.

        Args:
            region: its region.
            endpoint_name: the endpoint.
            is_scaled: whether the runtime has it scaled. If not, there need not be a right to ask.
        """
        api = ScalingApi(self._clients, region)
        try:
            observed = await api.observe(endpoint_name)
        except AwsFailure as failure:
            if failure.reason == "AccessDenied" and not is_scaled:
                return
            raise
        if observed.alarm is not None:
            await api.delete_alarm(endpoint_name)
        if observed.target is not None:
            await api.deregister(endpoint_name)

    async def _fix(self, api: ScalingApi, endpoint: DescribedEndpoint, instances: int) -> bool:
        """One step towards an endpoint that is not scaled; True if none is left."""
        try:
            observed = await api.observe(endpoint.name)
        except AwsFailure as failure:
            if failure.reason == "AccessDenied":
                # Who may not ask cannot have registered anything.
                return True
            raise
        steps = steps_to_fixed(observed, instances=endpoint.desired_instances, wanted=instances)
        for step in steps:
            await _take(api, endpoint.name, step, {})
        return not steps


async def _take(api: ScalingApi, endpoint_name: str, step: ScalingStep, arns: dict[str, str]) -> None:
    """Take one step. `arns` are those of the policies, by name: a policy that was just put need not be readable yet."""
    match step:
        case Register(target=target):
            await api.register(endpoint_name, target)
        case PutPolicy(policy=policy):
            arns[policy.name] = await api.put_policy(endpoint_name, policy)
        case DeletePolicy(name=name):
            await api.delete_policy(endpoint_name, name)
        case PutAlarm(alarm=alarm):
            await api.put_alarm(endpoint_name, alarm, action=arns[WAKE_POLICY])
        case DeleteAlarm():
            await api.delete_alarm(endpoint_name)
        case SetInstances(count=count):
            await api.set_instances(endpoint_name, count)
        case Deregister():
            await api.deregister(endpoint_name)
        case _:
            assert_never(step)
