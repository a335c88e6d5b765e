"""What seconds of work cost in money: an estimate, from the price list of the runtime. Pure.

It is what the instance costs for as long as it worked on this one object, and nothing else: no storage, no requests, and
no time in which the instance stood idle, which is accounted to the runtime. Where there is no price there is no cost:
none is better than a wrong one. So a runtime that reckons in another currency has to list its prices itself.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from avatar_api.avatar_runtime import AvatarRuntime, Prices
from avatar_api.meta import Cost

LIST_CURRENCY = "USD"
LIST_PRICES_PER_HOUR: Mapping[str, Decimal] = MappingProxyType(
    {
        "ml.g4dn.xlarge": Decimal("0.7364"),
        "ml.g4dn.2xlarge": Decimal("0.94"),
        "ml.g4dn.12xlarge": Decimal("4.89"),
        "ml.g5.xlarge": Decimal("1.408"),
        "ml.g5.2xlarge": Decimal("1.515"),
        "ml.g5.4xlarge": Decimal("2.03"),
        "ml.g5.12xlarge": Decimal("7.09"),
        "ml.g6.xlarge": Decimal("1.1267"),
        "ml.g6.2xlarge": Decimal("1.222"),
        "ml.g6.12xlarge": Decimal("5.752"),
        "ml.p3.2xlarge": Decimal("3.825"),
        "ml.p4d.24xlarge": Decimal("37.688"),
    }
)
"""SageMaker's public list prices of 2025-01: real-time inference, on demand, US East (N. Virginia), for one hour.

Source: aws.amazon.com/sagemaker/pricing, "On-Demand Pricing", "Real-Time Inference", as pricing.yml of
aws-samples/foundation-model-benchmarking-tool had it in January 2025; the small g4dn and g6 as other copies of that page
have them. Asynchronous endpoints, on which trainings run, are billed alike. Whoever pays another price lists it in
spec.prices.
"""
_SECONDS_PER_HOUR = 3600
_SMALLEST = Decimal("0.000001")
_LARGEST = Decimal("999999")


def estimated_cost(seconds: float, instance_type: str, prices: Prices | None) -> Cost | None:
    """What an instance costs for some seconds; None if nobody knows its price.

    Args:
        seconds: how long it was used.
        instance_type: SageMaker's name of the type.
        prices: the runtime's price list, which goes before the public one.
    """
    currency = LIST_CURRENCY if prices is None else prices.currency
    per_hour = _per_hour(instance_type, prices)
    if per_hour is None:
        return None
    amount = (Decimal(str(seconds)) * per_hour / _SECONDS_PER_HOUR).quantize(_SMALLEST, ROUND_HALF_UP)
    return Cost(
        amount=f"{min(amount, _LARGEST):f}",
        currency=currency,
        instance_type=instance_type,
    )


def training_cost(runtime: AvatarRuntime, seconds: float) -> Cost | None:
    """What some seconds of training cost; None where no instance is paid for, or nobody knows its price."""
    sagemaker = runtime.spec.backend.sagemaker
    if sagemaker is None:
        return None
    return estimated_cost(seconds, sagemaker.training.instance_type, runtime.spec.prices)


def drawing_cost(runtime: AvatarRuntime, seconds: float) -> Cost | None:
    """What some seconds of drawing cost; None where no instance is paid for, or nobody knows its price."""
    sagemaker = runtime.spec.backend.sagemaker
    if sagemaker is None:
        return None
    return estimated_cost(seconds, sagemaker.inference.instance_type, runtime.spec.prices)


def _per_hour(instance_type: str, prices: Prices | None) -> Decimal | None:
    listed = () if prices is None else prices.per_hour
    for price in listed:
        if price.instance_type == instance_type:
            return Decimal(price.amount)
    if prices is not None and prices.currency != LIST_CURRENCY:
        return None
    return LIST_PRICES_PER_HOUR.get(instance_type)
