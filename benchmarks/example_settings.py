"""The hyperparameters that the first example offers, decided as the operator decides them.

What is measured is what `make demo` and anybody who copies the example gets; nothing is tuned for a benchmark alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingSettings
from avatar_api.runtime_limits import InferenceDefaults
from avatar_api.training_options import TrainingOptions
from avatar_demo.example import Example, load_example
from avatar_demo.settings import EXAMPLE
from avatar_operator.model_lifecycle.training_request import training_settings

_PLACEHOLDERS = {
    "AWS_ACCOUNT_ID": "123456789012",
    "AVATARS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/unused",
    "BASE_MODEL_SHA256": "0" * 64,
}


def example_training(wishes: TrainingOptions) -> TrainingSettings:
    """What the operator would have trained for a model of the example's runtime with these wishes."""
    example = _example()
    model = example.model.model_copy(
        update={"spec": example.model.spec.model_copy(update={"training": wishes})}
    )
    return training_settings(example.runtime, model)


def example_drawing() -> InferenceDefaults:
    """Steps, guidance, size and scheduler of a request that names none."""
    runtime: AvatarRuntime = _example().runtime
    return runtime.spec.defaults.inference


def training_options(assignments: Sequence[str]) -> TrainingOptions:
    """Reads `steps=300`, `priorPreservation.weight=0.5` and so on: names as in an AvatarModel's `spec.training`.

    Raises:
        ValueError: there is no such name, or the value is not acceptable; the message says which.
    """
    document: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ValueError(f"{assignment!r} is no NAME=VALUE, such as steps=300")
        *parents, leaf = name.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return TrainingOptions.model_validate(document, extra="forbid")


def _example() -> Example:
    return load_example(Path(EXAMPLE), _PLACEHOLDERS)
