"""A SageMaker that answers what a test says, where the local one is too well-behaved: reads that lag, and two regions."""

from collections.abc import Callable
from typing import Any, cast

from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.sagemaker.endpoint_plan import endpoint_plans
from avatar_operator.backends.sagemaker.endpoint_state import DescribedEndpoint
from avatar_operator.backends.sagemaker.endpoints import Endpoints
from avatar_operator.backends.sagemaker.scaling import Scaling
from avatar_operator.backends.sagemaker.scaling_plan import WAKE_POLICY, scaling_plan
from builders.backend_objects import make_runtime


class ClientsOfOneAnswer:
    """Every call gets the answer that stands for its operation, whatever was written before."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self.calls: list[tuple[str, str]] = []
        self.arguments: dict[str, dict[str, Any]] = {}

    async def sagemaker(self, region: str, operation: str, call: Callable[[Any], object]) -> Any:
        """See AwsClients."""
        self.calls.append((region, operation))
        if operation not in self._answers:
            call(self)
            return {}
        answer = self._answers[operation]
        return answer(call) if callable(answer) else answer

    autoscaling = cloudwatch = sagemaker

    def put_metric_alarm(self, **arguments: Any) -> None:
        """See CloudWatch."""
        self.arguments["PutMetricAlarm"] = arguments

    def register_scalable_target(self, **arguments: Any) -> None:
        """See Application Auto Scaling."""

    def as_clients(self) -> AwsClients:
        """What the code under test takes."""
        return cast("AwsClients", self)


async def test_the_alarm_is_set_though_the_policy_it_triggers_cannot_be_read_yet() -> None:
    clients = ClientsOfOneAnswer(
        {
            "DescribeScalableTargets": {"ScalableTargets": []},
            "DescribeScalingPolicies": {"ScalingPolicies": []},
            "DescribeAlarms": {"MetricAlarms": []},
            "PutScalingPolicy": lambda call: call(_Policies()),
        }
    )
    endpoint = {"endpointName": "t", "image": "i", "scaling": {"maxInstances": 4}}
    plan = scaling_plan(make_runtime(training=endpoint), "Training")

    await Scaling(clients.as_clients()).ensure(
        "eu-central-1", DescribedEndpoint("Training", "t"), plan, instances=1
    )

    assert clients.arguments["PutMetricAlarm"]["AlarmActions"] == [f"arn:{WAKE_POLICY}"]


class _Policies:
    def put_scaling_policy(self, **arguments: Any) -> dict[str, str]:
        return {"PolicyARN": f"arn:{arguments['PolicyName']}"}


async def test_endpoints_of_one_name_are_tidied_in_each_of_their_regions() -> None:
    runtimes = [make_runtime(region=region) for region in ("eu-central-1", "us-east-1")]
    configs = {plan.endpoint_name: plan.config_name for plan in endpoint_plans(runtimes[0])}
    assert configs == {plan.endpoint_name: plan.config_name for plan in endpoint_plans(runtimes[1])}
    clients = ClientsOfOneAnswer(
        {
            "DescribeEndpoint": lambda call: call(_Serving(configs)),
            "ListEndpointConfigs": [],
            "ListModels": [],
            "DescribeScalableTargets": {"ScalableTargets": []},
            "DescribeScalingPolicies": {"ScalingPolicies": []},
            "DescribeAlarms": {"MetricAlarms": []},
        }
    )
    endpoints = Endpoints(clients.as_clients())

    for runtime in (*runtimes, *runtimes):
        await endpoints.ensure(runtime)

    assert clients.calls.count(("eu-central-1", "ListModels")) == 2
    assert clients.calls.count(("us-east-1", "ListModels")) == 2


class _Serving:
    def __init__(self, configs: dict[str, str]) -> None:
        self._configs = configs

    def describe_endpoint(self, EndpointName: str) -> dict[str, str]:  # noqa: N803  # as boto3 has it
        return {
            "EndpointName": EndpointName,
            "EndpointStatus": "InService",
            "EndpointArn": f"arn:{EndpointName}",
            "EndpointConfigName": self._configs[EndpointName],
        }
