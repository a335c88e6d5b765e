"""What does the work of an AvatarRuntime: a union with exactly one member.

`sagemaker` drives AWS. `simulated` runs the whole control flow without any worker or cloud account: for trying the
API, for load tests, for a cluster without AWS.
"""

from typing import Annotated

from pydantic import Field

from avatar_api.sagemaker_backend import SageMakerBackend
from avatar_api.schema_base import ApiModel
from avatar_api.validation_rules import exactly_one_of, rules


class SimulatedBackend(ApiModel):
    """No worker, no cloud: trainings take a set time and end as told. Nothing is drawn and nothing is billed."""

    training_seconds: Annotated[
        int, Field(ge=0, le=86400, description="Seconds that each training pretends to take.")
    ] = 10
    failure_percent: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="Share of attempts that fail with an error that is tried again, in percent.",
        ),
    ] = 0


class Backend(ApiModel):
    """What does the work: exactly one member."""

    model_config = rules(exactly_one_of("sagemaker", "simulated"))

    sagemaker: SageMakerBackend | None = None
    simulated: SimulatedBackend | None = None
