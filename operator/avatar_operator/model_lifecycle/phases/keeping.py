"""Keeping: artifacts that are to outlive their model carry a mark from the day on which they are there.

Nobody can leave it later if the runtime goes before the model, or the model by force: whatever has no owner and no mark is
an orphan. So it is left once, while the model lives, and again when it goes, because there may be other artifacts by then.
"""

from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind import folding
from avatar_operator.left_behind.actions import (
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)
from avatar_operator.model_lifecycle.actions import ModelAction, ModelDraft
from avatar_operator.model_lifecycle.observation import ModelObservation, is_settled


def keeping(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Mark the artifacts of a model that has come to rest, if they shall stay and are not marked yet, or the other way round."""
    status = draft.status
    if observation.runtime is None:
        return draft
    if observation.model.spec.deletion_policy == "Delete":
        return draft if status.retained_time is None else draft.act(UnmarkRetained())
    if status.artifact is None or status.retained_time is not None or not is_settled(status.training):
        return draft
    return draft.act(MarkRetained())


def fold_mark(
    observation: ModelObservation,
    draft: ModelDraft,
    fact: MarkedRetained | UnmarkedRetained | ActionFailed[ModelAction],
) -> ModelDraft:
    """Whether artifacts that shall stay are known to be no orphans."""
    model = observation.model
    marked = model.status.retained_time is not None
    return folding.fold_mark(
        draft,
        fact,
        RecordLeftBehind,
        metadata=model.metadata,
        now=observation.now,
        asked_since=observation.asked_since,
        marked=marked,
    )
