"""From a notification to the object it is about. Notifications are hints: they say where to look, never what is so.

An inference id carries the model's uid, so no table has to survive a restart. A hint about an object that is not known
is dropped: if the object exists, its first reconcile asks for itself.
"""

import structlog

from avatar_operator.ingest.messages import AttemptHint, Hint, ProgressHint
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.model_lifecycle.controller import ModelLifecycle
from avatar_operator.names import parse_inference_id
from avatar_operator.scheduling import Scheduler

logger = structlog.get_logger(__name__)


class HintRouter:
    """Hands hints to the lifecycle of AvatarModels."""

    def __init__(self, cache: ObjectCache, scheduler: Scheduler, models: ModelLifecycle) -> None:
        self._cache = cache
        self._scheduler = scheduler
        self._models = models

    def __call__(self, hint: Hint) -> None:
        """Take one hint."""
        match hint:
            case AttemptHint(inference_id=inference_id):
                key = self._model_of(inference_id)
                if key is not None:
                    self._models.hint_outcome(key)
                    self._scheduler.enqueue(key)
            case ProgressHint(message=message):
                key = self._model_of(message.inference_id)
                if key is not None:
                    self._models.hint_progress(key, message)
                    self._scheduler.enqueue(key)

    def _model_of(self, inference_id: str) -> ObjectKey | None:
        name = parse_inference_id(inference_id)
        key = None if name is None else self._cache.by_uid(name.uid)
        if key is None:
            logger.debug("a hint about nothing that is known", inference_id=inference_id)
        return key
