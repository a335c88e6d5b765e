"""Hints, handed to the models they are about. Hints say where to look, never what is so.

An inference id carries the model's uid, so no table has to survive a restart. A hint about a model that was deleted is
of no use to anybody. One about a model that this operator never knew may be news for somebody else who shares the queue,
so it is not taken; if the model is ours and merely not seen yet, its first reconcile asks for itself.

What a bucket tells of concerns whoever waits for photos there, and very often nobody. That ends it: the message is not left
to others, whose models look for their photos by themselves.
"""

import structlog

from avatar_operator.aws.s3_location import S3Location
from avatar_operator.hint_routing.gone_objects import GoneObjects
from avatar_operator.hint_routing.outcome_reminders import OutcomeReminders, is_nearly_done
from avatar_operator.hint_routing.photo_arrivals import PhotoArrivals
from avatar_operator.ingest.messages import AttemptHint, Hint, HintOutcome, PhotosHint, ProgressHint
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.model_lifecycle.controller import ModelLifecycle
from avatar_operator.names import parse_inference_id
from avatar_operator.reconciling.scheduling import Scheduler

logger = structlog.get_logger(__name__)


class HintRouter:
    """Hands hints to the lifecycle of AvatarModels. Use from one event loop only."""

    def __init__(self, cache: ObjectCache, scheduler: Scheduler, models: ModelLifecycle) -> None:
        self._cache = cache
        self._scheduler = scheduler
        self._models = models
        self._gone = GoneObjects(cache)
        self._reminders = OutcomeReminders(cache, scheduler.inquire)
        self._photos = PhotoArrivals(cache, scheduler.enqueue)

    def __call__(self, hint: Hint) -> HintOutcome:
        """Take one hint."""
        if isinstance(hint, PhotosHint):
            awaited = [self._photos.changed(S3Location(each.bucket, each.key)) for each in hint.objects]
            return HintOutcome.TAKEN if any(awaited) else HintOutcome.UNAWAITED
        return self._take(hint)

    def _take(self, hint: AttemptHint | ProgressHint) -> HintOutcome:
        inference_id = hint.inference_id if isinstance(hint, AttemptHint) else hint.message.inference_id
        name = parse_inference_id(inference_id)
        key = None if name is None else self._cache.by_uid(name.uid)
        if name is None or key is None:
            outcome = (
                HintOutcome.STALE if name is not None and name.uid in self._gone else HintOutcome.UNKNOWN
            )
            logger.debug("a hint not taken", inference_id=inference_id, outcome=outcome.value)
            return outcome
        match hint:
            case AttemptHint():
                self._scheduler.inquire(key)
            case ProgressHint(message=message):
                if not self._models.hint_progress(key, message):
                    logger.warning("progress that no worker can have made", inference_id=inference_id)
                    return HintOutcome.IMPOSSIBLE
                self._scheduler.enqueue(key)
                if is_nearly_done(message):
                    self._reminders.expect(key, inference_id)
        return HintOutcome.TAKEN
