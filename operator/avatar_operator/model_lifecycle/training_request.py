"""From what a user wishes and a platform team allows to the document that a worker obeys. Pure.

A setting is the user's, else the runtime's default, else ours. `exceeded_limits` says what is above the runtime's
limits, before anything is planned.
"""

from collections.abc import Sequence

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import (
    ArtifactDestination,
    BaseModelReference,
    ObjectIdentity,
    PhotoLocation,
    PhotoPolicy,
    PriorPreservationSettings,
    ProgressDestination,
    SubjectWords,
    TrainingRequest,
    TrainingSettings,
)
from avatar_operator.backends.attempts import AttemptReference

BUILT_IN_SETTINGS = TrainingSettings(
    method="LoRA",
    steps=800,
    batch_size=1,
    learning_rate=1e-4,
    rank=16,
    resolution=512,
    text_encoder="Freeze",
    prior_preservation=PriorPreservationSettings(weight=1.0, num_class_images=100),
    seed=0,
)
"""For what neither the user nor the runtime says: DreamBooth LoRA as diffusers' examples recommend it for SD 1.x."""


def training_settings(runtime: AvatarRuntime, model: AvatarModel) -> TrainingSettings:
    """Every hyperparameter, decided."""
    merged = BUILT_IN_SETTINGS.model_dump()
    for options in (runtime.spec.defaults.training, model.spec.training):
        wishes = options.model_dump(exclude_none=True)
        prior_preservation = {**merged["prior_preservation"], **wishes.pop("prior_preservation", {})}
        merged = {**merged, **wishes, "prior_preservation": prior_preservation}
    return TrainingSettings.model_validate(merged)


def exceeded_limits(runtime: AvatarRuntime, model: AvatarModel) -> list[str]:
    """What a model asks for above the runtime's limits, in words; empty if nothing is."""
    limits, spec = runtime.spec.limits.training, model.spec
    settings = training_settings(runtime, model)
    checks = (
        ("training.steps", settings.steps, limits.max_steps),
        ("training.batchSize", settings.batch_size, limits.max_batch_size),
        ("training.rank", settings.rank, limits.max_rank),
        ("training.resolution", settings.resolution, limits.max_resolution),
        (
            "training.priorPreservation.numClassImages",
            settings.prior_preservation.num_class_images,
            limits.max_class_images,
        ),
        ("queueDeadlineSeconds", spec.queue_deadline_seconds or 0, limits.queue_deadline_seconds),
        ("activeDeadlineSeconds", spec.active_deadline_seconds or 0, limits.active_deadline_seconds),
    )
    return [f"{name} is {value}, at most {limit}" for name, value, limit in checks if value > limit]


def build_training_request(
    runtime: AvatarRuntime,
    model: AvatarModel,
    attempt: AttemptReference,
    photos: Sequence[PhotoLocation],
    progress: ProgressDestination | None,
) -> TrainingRequest:
    """The document for one attempt.

    Args:
        runtime: its base, limits and defaults.
        model: what its user wishes.
        attempt: which one.
        photos: what to learn from.
        progress: where the worker shall tell how far it is, if anywhere.
    """
    locations = attempt.locations
    photo_limits = runtime.spec.limits.photos
    return TrainingRequest(
        inference_id=attempt.inference_id,
        model=ObjectIdentity(namespace=attempt.namespace, name=model.metadata.name, uid=attempt.uid),
        revision=attempt.revision,
        attempt=attempt.attempt,
        photos=list(photos),
        photo_policy=PhotoPolicy(
            min_count=photo_limits.min_count,
            max_count=photo_limits.max_count,
            max_bytes=photo_limits.max_bytes,
        ),
        subject=SubjectWords(class_noun=model.spec.subject.class_noun, token=model.spec.subject.token),
        training=training_settings(runtime, model),
        base_model=BaseModelReference.model_validate(runtime.spec.base_model.model_dump()),
        claim_uri=locations.claim,
        artifact=ArtifactDestination(
            uri=locations.artifact, manifest_uri=locations.manifest, target_model=locations.target_model
        ),
        progress=progress,
    )
