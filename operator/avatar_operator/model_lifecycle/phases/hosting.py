"""Hosting: whether the endpoint of today can draw with the artifact of then.

An artifact is a low-rank update of one base, and worthless for any other. When a platform team changes a runtime's base,
the models of the old one are not drawn with (the worker would refuse each picture), and say what would mend it. When
the old base comes back, so do they.
"""

from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.base_models import base_model_word, is_same_base
from avatar_operator.model_lifecycle.conditions import HOSTED
from avatar_operator.model_lifecycle.observation import ModelObservation

BASE_MODEL_CHANGED = "BaseModelChanged"


def hosting(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Set Hosted False while the runtime has another base than the artifact, and True again when it has not."""
    artifact, runtime = draft.status.artifact, observation.runtime
    if artifact is None or runtime is None:
        return draft
    if not is_same_base(artifact.base_model, runtime.spec.base_model):
        message = (
            f"The artifact was trained on base {artifact.base_model}, AvatarRuntime {runtime.metadata.name} has"
            f" {base_model_word(runtime.spec.base_model)} now. Raise spec.revision to train on that."
        )
        return set_condition(observation, draft, HOSTED, "False", BASE_MODEL_CHANGED, message)
    hosted = find_condition(draft.status.conditions, HOSTED)
    if hosted is not None and hosted.reason == BASE_MODEL_CHANGED:
        return set_condition(
            observation, draft, HOSTED, "True", "Verified", "The runtime has the artifact's base again."
        )
    return draft
