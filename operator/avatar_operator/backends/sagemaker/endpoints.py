"""The endpoints of a runtime: made, rolled, looked at, deleted. Never waits: each call takes one step and says where
things stand.

Order of a roll: Model, EndpointConfig, UpdateEndpoint; SageMaker moves traffic once the new instances are healthy, so no
request is dropped. Configurations and models that nothing uses any more go once the endpoint serves the wanted one.
An endpoint is changed or deleted only if its tag says that it belongs to this runtime.
"""

from collections.abc import Sequence
from dataclasses import replace

from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.endpoint_api import EndpointApi
from avatar_operator.backends.sagemaker.endpoint_plan import (
    RUNTIME_UID_TAG,
    EndpointPlan,
    Role,
    endpoint_plans,
)
from avatar_operator.backends.sagemaker.endpoint_state import (
    CHANGING,
    DescribedEndpoint,
    EndpointStep,
    EndpointVerdict,
    facts,
    managed_verdict,
    next_step,
    observed_verdict,
)
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec
from avatar_operator.backends.sagemaker.scaling import Scaling
from avatar_operator.backends.sagemaker.scaling_plan import scaling_plan
from avatar_operator.core.clock import Clock, SystemClock
from avatar_operator.core.decision import Retry
from avatar_operator.core.waiting import all_finished


class Endpoints:
    """Endpoints of SageMaker runtimes.

    Args:
        clients: where calls run.
        clock: the instant.
    """

    def __init__(self, clients: AwsClients, clock: Clock | None = None) -> None:
        self._clients = clients
        self._scaling = Scaling(clients)
        self._clock = clock or SystemClock()
        # Only saves calls: after a restart, everything is tidied once more.
        self._tidied: dict[tuple[str, str], str] = {}

    async def ensure(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute.ensure_endpoints."""
        if runtime.spec.management_policy == "Observe":
            return facts([observed_verdict(endpoint) for endpoint in await self.describe(runtime)])
        region, plans = sagemaker_spec(runtime).region, endpoint_plans(runtime)
        verdicts = await all_finished(self._ensure_one(region, plan) for plan in plans)
        seen = facts(verdicts)
        try:
            await self._scale(runtime, [verdict.endpoint for verdict in verdicts if not verdict.reason])
        except AwsFailure as failure:
            # They serve all the same.
            return replace(
                seen, trouble=Retry(failure.reason, failure.said.reveal(), failure.retry_after or 0.0)
            )
        return seen

    async def _scale(self, runtime: AvatarRuntime, serving: Sequence[DescribedEndpoint]) -> None:
        spec = sagemaker_spec(runtime)
        counts = {"Training": spec.training.instance_count, "Inference": spec.inference.instance_count}
        for endpoint in serving:
            await self._scaling.ensure(
                spec.region,
                endpoint,
                scaling_plan(runtime, endpoint.role),
                instances=counts[endpoint.role],
            )

    async def delete(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute.delete_endpoints."""
        if runtime.spec.management_policy == "Observe":
            return EndpointsFacts(True, "NotManaged", "the endpoints belong to somebody else and stay")
        spec = sagemaker_spec(runtime)
        # What the spec names no more is remembered in the status until it is gone.
        endpoints: set[tuple[Role, str]] = {
            ("Training", spec.training.endpoint_name),
            ("Inference", spec.inference.endpoint_name),
            *((endpoint.role, endpoint.name) for endpoint in runtime.status.endpoints),
        }
        return await self._delete(runtime, sorted(endpoints))

    async def retire(self, runtime: AvatarRuntime, endpoint: EndpointStatus) -> EndpointsFacts:
        """See Compute.retire_endpoint."""
        return await self._delete(runtime, [(endpoint.role, endpoint.name)])

    async def _delete(self, runtime: AvatarRuntime, endpoints: Sequence[tuple[Role, str]]) -> EndpointsFacts:
        api = self._api(runtime)
        verdicts = await all_finished(self._delete_one(runtime, api, role, name) for role, name in endpoints)
        left = [verdict for verdict in verdicts if verdict.reason]
        return facts(left) if left else EndpointsFacts(True, "Deleted", "nothing is left of the endpoints")

    async def describe(self, runtime: AvatarRuntime) -> list[DescribedEndpoint]:
        """Training and inference endpoint as they are now."""
        spec = sagemaker_spec(runtime)
        api = self._api(runtime)
        return await all_finished(
            [
                api.describe("Training", spec.training.endpoint_name),
                api.describe("Inference", spec.inference.endpoint_name),
            ]
        )

    async def describe_training(self, runtime: AvatarRuntime, name: str | None) -> DescribedEndpoint:
        """A training endpoint as it is now: the named one, else the runtime's."""
        name = name or sagemaker_spec(runtime).training.endpoint_name
        return await self._api(runtime).describe("Training", name)

    def _api(self, runtime: AvatarRuntime) -> EndpointApi:
        return EndpointApi(self._clients, sagemaker_spec(runtime).region)

    async def _ensure_one(self, region: str, plan: EndpointPlan) -> EndpointVerdict:
        api = EndpointApi(self._clients, region)
        endpoint = await api.describe(plan.role, plan.endpoint_name)
        differs = endpoint.state not in CHANGING and endpoint.config_name != plan.config_name
        config_created = await api.config_created(plan.config_name) if differs else None
        step = next_step(
            endpoint, plan.config_name, wanted_config_created=config_created, now=self._clock.now()
        )
        if step in (EndpointStep.ROLL, EndpointStep.REPLACE):
            await _check_owner(api, endpoint, plan)
        if step in (EndpointStep.CREATE, EndpointStep.ROLL) and config_created is None:
            await api.create_config(plan)
        match step:
            case EndpointStep.CREATE:
                await api.create(plan)
            case EndpointStep.ROLL:
                await api.roll(plan)
            case EndpointStep.REPLACE:
                await api.delete(plan.endpoint_name)
            case EndpointStep.NONE if self._tidied.get((region, plan.endpoint_name)) != plan.config_name:
                await api.delete_derived(
                    plan.endpoint_name, owner=_owner(plan), keep=(plan.config_name, plan.model_name)
                )
                self._tidied[region, plan.endpoint_name] = plan.config_name
        return managed_verdict(endpoint, step)

    async def _delete_one(
        self, runtime: AvatarRuntime, api: EndpointApi, role: Role, name: str
    ) -> EndpointVerdict:
        endpoint = await api.describe(role, name)
        if not endpoint.exists:
            await api.delete_derived(name, owner=runtime.metadata.uid)
            return EndpointVerdict(endpoint)
        if endpoint.state not in CHANGING:
            if await api.owner(endpoint) != runtime.metadata.uid:
                return EndpointVerdict(endpoint)
            is_scaled = scaling_plan(runtime, role) is not None
            await self._scaling.remove(sagemaker_spec(runtime).region, name, is_scaled=is_scaled)
            await api.delete(name)
        return EndpointVerdict(endpoint, "Deleting", f"endpoint {name} is {endpoint.state}, on its way out")


def _owner(plan: EndpointPlan) -> str:
    return next(tag["Value"] for tag in plan.tags if tag["Key"] == RUNTIME_UID_TAG)


async def _check_owner(api: EndpointApi, endpoint: DescribedEndpoint, plan: EndpointPlan) -> None:
    wanted = _owner(plan)
    if await api.owner(endpoint) != wanted:
        raise BackendError(
            "NameConflict",
            f"endpoint {endpoint.name} exists and does not belong to this AvatarRuntime. Choose another endpointName, use"
            f" managementPolicy Observe, or hand it over by tagging it {RUNTIME_UID_TAG}={wanted}",
            retryable=False,
        )
