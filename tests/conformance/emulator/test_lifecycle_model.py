"""Any sequence of calls, right and wrong ones, against a simple model of what AWS promises.

The model knows three dictionaries and one rule for each call. After every step the server must describe what the model says; in
the end every accepted invocation whose endpoint still stands has exactly one outcome. Changes are waited for, so the model needs
no notion of time: what happens during a change is the subject of other tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from conformance.sagemaker_user import SageMakerUser
from conformance.target import Target

NAMES = st.sampled_from(["a", "a", "a", "b"])
COUNTS = st.integers(0, 2)
GONE = "gone"


@dataclass
class ModelEndpoint:
    """What AWS promises of one endpoint."""

    config: str
    asynchronous: bool
    count: int
    accepted: list[tuple[dict[str, Any], bool]] = field(default_factory=list)


class Lifecycle(RuleBasedStateMachine):
    """The calls of a user, and what the model expects of each."""

    target: ClassVar[Target]

    def __init__(self) -> None:
        super().__init__()
        self.user = SageMakerUser(self.target)
        self.models: set[str] = set()
        self.configs: dict[str, tuple[bool, int]] = {}
        self.endpoints: dict[str, ModelEndpoint] = {}
        self.ended: list[str] = []

    def real(self, name: str) -> str:
        return f"{self.user.name}-{name}"

    def attempt(self, allowed: bool, call: Any, **arguments: Any) -> bool:
        """Make a call that must succeed exactly when it is allowed."""
        try:
            call(**arguments)
        except ClientError as refusal:
            assert not allowed, refusal
            assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] == 400
            assert refusal.response["Error"]["Code"] in ("ValidationException", "ValidationError")
            return False
        assert allowed, f"{call.__name__} {arguments} was not refused"
        return True

    @initialize(prepared=st.booleans())
    def prepare(self, prepared: bool) -> None:
        """Half of all users begin with a model and configurations of both kinds; otherwise few would come to have endpoints."""
        if prepared:
            self.create_model("a")
            self.create_config("a", "a", asynchronous=True, count=1)
            self.create_config("b", "a", asynchronous=False, count=2)
            self.create_endpoint("a", "a")

    @rule(name=NAMES)
    def create_model(self, name: str) -> None:
        allowed = name not in self.models
        if self.attempt(
            allowed,
            self.user.sagemaker.create_model,
            ModelName=self.real(name),
            PrimaryContainer={"Image": self.target.image},
            ExecutionRoleArn=self.target.role,
        ):
            self.models.add(name)

    @rule(name=NAMES, model=NAMES, asynchronous=st.booleans(), count=st.integers(1, 2))
    def create_config(self, name: str, model: str, asynchronous: bool, count: int) -> None:
        extra = {"AsyncInferenceConfig": self.user.async_config()} if asynchronous else {}
        if self.attempt(
            name not in self.configs and model in self.models,
            self.user.sagemaker.create_endpoint_config,
            EndpointConfigName=self.real(name),
            ProductionVariants=[self.user.variant(self.real(model), InitialInstanceCount=count)],
            **extra,
        ):
            self.configs[name] = (asynchronous, count)

    @rule(name=NAMES, config=NAMES)
    def create_endpoint(self, name: str, config: str) -> None:
        if self.attempt(
            name not in self.endpoints and config in self.configs,
            self.user.sagemaker.create_endpoint,
            EndpointName=self.real(name),
            EndpointConfigName=self.real(config),
        ):
            self.endpoints[name] = ModelEndpoint(config, *self.configs[config])
            self.user.await_status(self.real(name), "InService")

    @precondition(lambda self: bool(self.endpoints))
    @rule(name=NAMES, config=NAMES, retain=st.booleans())
    def update_endpoint(self, name: str, config: str, retain: bool) -> None:
        # Only an asynchronous endpoint can have no instances, so no other can retain none.
        keeps_none = retain and name in self.endpoints and self.endpoints[name].count == 0
        if self.attempt(
            name in self.endpoints and config in self.configs and (not keeps_none or self.configs[config][0]),
            self.user.sagemaker.update_endpoint,
            EndpointName=self.real(name),
            EndpointConfigName=self.real(config),
            RetainAllVariantProperties=retain,
        ):
            endpoint, (asynchronous, count) = self.endpoints[name], self.configs[config]
            endpoint.config, endpoint.asynchronous = config, asynchronous
            endpoint.count = endpoint.count if retain else count
            self.user.await_status(self.real(name), "InService")

    @precondition(lambda self: bool(self.endpoints))
    @rule(name=NAMES, count=COUNTS)
    def scale(self, name: str, count: int) -> None:
        wanted = {"VariantName": "AllTraffic", "DesiredInstanceCount": count}
        if self.attempt(
            name in self.endpoints and (count > 0 or self.endpoints[name].asynchronous),
            self.user.sagemaker.update_endpoint_weights_and_capacities,
            EndpointName=self.real(name),
            DesiredWeightsAndCapacities=[wanted],
        ):
            self.endpoints[name].count = count
            self.user.await_status(self.real(name), "InService")

    @precondition(lambda self: any(each.asynchronous for each in self.endpoints.values()))
    @rule(name=NAMES, succeeds=st.booleans())
    def invoke_asynchronously(self, name: str, succeeds: bool) -> None:
        endpoint = self.endpoints.get(name)
        answers: list[dict[str, Any]] = []
        body = {} if succeeds else {"status": 500, "body": "no luck"}
        if self.attempt(
            endpoint is not None and endpoint.asynchronous,
            lambda: answers.append(self.user.invoke_async(self.real(name), body)),
        ):
            assert endpoint is not None
            endpoint.accepted.append((answers[0], succeeds))

    @precondition(lambda self: bool(self.endpoints))
    @rule(name=NAMES)
    def invoke(self, name: str) -> None:
        endpoint = self.endpoints.get(name)
        self.attempt(
            endpoint is not None and not endpoint.asynchronous,
            self.user.runtime.invoke_endpoint,
            EndpointName=self.real(name),
            Body=b"x",
        )

    @rule(name=NAMES)
    def delete_endpoint(self, name: str) -> None:
        if self.attempt(
            name in self.endpoints, self.user.sagemaker.delete_endpoint, EndpointName=self.real(name)
        ):
            del self.endpoints[name]
            self.user.eventually(partial(self.is_gone, name))

    @rule(name=NAMES)
    def delete_config(self, name: str) -> None:
        in_use = any(endpoint.config == name for endpoint in self.endpoints.values())
        if name in self.configs and not in_use:
            self.user.sagemaker.delete_endpoint_config(EndpointConfigName=self.real(name))
            del self.configs[name]

    @invariant()
    def descriptions_tell_the_models_truth(self) -> None:
        for name in ("a", "b"):
            endpoint = self.endpoints.get(name)
            if endpoint is None:
                assert self.status(name) == GONE
                continue
            described = self.user.described(self.real(name))
            assert described["EndpointStatus"] == "InService"
            assert described["EndpointConfigName"] == self.real(endpoint.config)
            assert ("AsyncInferenceConfig" in described) == endpoint.asynchronous
            assert described["ProductionVariants"][0]["DesiredInstanceCount"] == endpoint.count

    def status(self, name: str) -> str:
        try:
            return str(self.user.described(self.real(name))["EndpointStatus"])
        except ClientError:
            return GONE

    def is_gone(self, name: str) -> bool:
        return self.status(name) == GONE

    def teardown(self) -> None:
        for name, endpoint in self.endpoints.items():
            if not endpoint.accepted or not endpoint.asynchronous:
                continue
            if endpoint.count == 0:
                self.user.scale(self.real(name), 1)
            for answer, succeeds in endpoint.accepted:
                there, absent = answer["OutputLocation"], answer["FailureLocation"]
                if not succeeds:
                    there, absent = absent, there
                self.user.await_object(there)
                assert self.user.read(absent) is None
        for name in self.endpoints:
            self.user.sagemaker.delete_endpoint(EndpointName=self.real(name))
            self.user.eventually(partial(self.is_gone, name))


@pytest.fixture
def machine(emulator_target: Target) -> Iterator[type[Lifecycle]]:
    Lifecycle.target = emulator_target
    yield Lifecycle


def test_any_sequence_of_calls_does_what_aws_promises(machine: type[Lifecycle]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=16,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
