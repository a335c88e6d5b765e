"""Trust: what the status names and the operator cannot have written is said, and an artifact that is not the model's own is none.

The decision rests on what is left (`belief`). So whoever writes another model's artifact into a status has a model without one.
"""

from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.foreign_status import say_foreign
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.belief import ARTIFACT
from avatar_operator.model_lifecycle.conditions import HOSTED
from avatar_operator.model_lifecycle.observation import ModelObservation


def trust(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Say what is not believed."""
    draft = say_foreign(observation, draft, observation.foreign)
    if ARTIFACT not in observation.foreign:
        return draft
    message = (
        "status.artifact names an artifact that is not this model's own, and it was not the operator that wrote that. Find"
        " out who may write statuses; then raise spec.revision to train again."
    )
    return set_condition(observation, draft, HOSTED, "False", "ArtifactForeign", message)
