"""What seconds of work cost, by the runtime's price list or SageMaker's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from avatar_api.avatar_runtime import InstancePrice, Prices
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST
from avatar_api.meta import Cost
from avatar_operator.costs import LIST_PRICES_PER_HOUR, drawing_cost, estimated_cost, training_cost
from avatar_operator.telemetry.cost_metrics import CostMetrics
from builders.manifests import SIMULATED
from builders.objects import a_runtime


def _prices(currency: str = "USD", **per_hour: str) -> Prices:
    listed = [
        InstancePrice(instance_type=name.replace("_", "."), amount=amount)
        for name, amount in per_hour.items()
    ]
    return Prices(currency=currency, per_hour=listed)


def test_an_hour_costs_what_the_public_list_says_if_the_runtime_lists_nothing() -> None:
    cost = estimated_cost(3600, "ml.g5.xlarge", None)

    assert cost == Cost(amount="1.408000", currency="USD", instance_type="ml.g5.xlarge")


def test_the_runtimes_price_goes_before_the_public_one() -> None:
    cost = estimated_cost(90, "ml.g5.xlarge", _prices(ml_g5_xlarge="0.8"))

    assert cost is not None
    assert cost.amount == "0.020000"


def test_a_type_that_the_runtime_does_not_list_costs_what_the_public_list_says() -> None:
    cost = estimated_cost(3600, "ml.g4dn.xlarge", _prices(ml_g5_xlarge="0.8"))

    assert cost is not None
    assert cost.amount == "0.736400"


@pytest.mark.parametrize(
    ("instance_type", "prices"),
    [("ml.unheard.of", None), ("ml.g5.xlarge", _prices("EUR", ml_g4dn_xlarge="0.7"))],
    ids=["a type that nobody lists", "dollars where the runtime reckons in euros"],
)
def test_no_price_is_no_cost(instance_type: str, prices: Prices | None) -> None:
    assert estimated_cost(3600, instance_type, prices) is None


def test_a_runtime_reckons_in_its_own_currency() -> None:
    cost = estimated_cost(3600, "ml.g5.xlarge", _prices("EUR", ml_g5_xlarge="1.3"))

    assert cost == Cost(amount="1.300000", currency="EUR", instance_type="ml.g5.xlarge")


@given(st.floats(0, 10**9), st.sampled_from(sorted(LIST_PRICES_PER_HOUR)))
def test_every_cost_fits_into_a_status(seconds: float, instance_type: str) -> None:
    cost = estimated_cost(seconds, instance_type, None)

    assert cost is not None
    assert Cost.model_validate(cost.model_dump()) == cost


def test_training_and_drawing_cost_what_their_own_instances_cost() -> None:
    sagemaker = {
        "training": {"instanceType": "ml.p3.2xlarge"},
        "inference": {"instanceType": "ml.g4dn.xlarge"},
    }
    runtime = a_runtime(spec={"backend": {"sagemaker": sagemaker}})

    training, drawing = training_cost(runtime, 3600), drawing_cost(runtime, 3600)

    assert training is not None
    assert drawing is not None
    assert (training.instance_type, training.amount) == ("ml.p3.2xlarge", "3.825000")
    assert (drawing.instance_type, drawing.amount) == ("ml.g4dn.xlarge", "0.736400")


def test_a_simulation_costs_nothing_that_could_be_told() -> None:
    runtime = a_runtime(spec={"backend": SIMULATED})

    assert training_cost(runtime, 3600) is None
    assert drawing_cost(runtime, 3600) is None


def test_work_is_counted_by_namespace_and_dollars_only_if_they_are_dollars() -> None:
    registry = CollectorRegistry()
    metrics = CostMetrics(registry)
    metrics.worked("sagemaker", AVATAR_REQUEST, "team-a", 3600, estimated_cost(3600, "ml.g5.xlarge", None))
    euros = Cost(amount="2", currency="EUR", instance_type="ml.g5.xlarge")
    metrics.worked("sagemaker", AVATAR_REQUEST, "team-a", 10, euros)
    metrics.worked("simulated", AVATAR_MODEL, "team-b", 5, None)
    metrics.drew("sagemaker", "team-a", 4)

    def count(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    of_team_a = {"backend": "sagemaker", "kind": "AvatarRequest", "namespace": "team-a"}
    assert count("avatar_gpu_seconds_total", **of_team_a) == 3610
    assert count("avatar_estimated_cost_dollars_total", **of_team_a) == float(Decimal("1.408"))
    assert count("avatar_gpu_seconds_total", backend="simulated", kind="AvatarModel", namespace="team-b") == 5
    assert count("avatar_pictures_total", backend="sagemaker", namespace="team-a") == 4
