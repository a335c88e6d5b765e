"""How far an AvatarRequest is, as its status says it."""

from datetime import datetime

from avatar_api.avatar_request import AvatarRequestStatus, ResolvedModel
from builders.clock import NOON
from builders.objects import MODEL_UID, REQUEST_UID, a_condition, an_artifact

PREFIX = f"s3://pictures/team-a/{REQUEST_UID}/"
ACCEPTED = a_condition("Accepted", "True", "Accepted")


def pinned(*, uid: str = MODEL_UID, revision: int = 1) -> ResolvedModel:
    """The artifact of the model `ann`."""
    artifact = an_artifact(revision=revision)
    return ResolvedModel(
        name="ann",
        uid=uid,
        revision=revision,
        target_model=artifact.target_model,
        uri=artifact.uri,
        sha256=artifact.sha256,
    )


def drawing(*, since: datetime = NOON, model: ResolvedModel | None = None) -> AvatarRequestStatus:
    """Accepted, and given the artifact that it is drawn with."""
    return AvatarRequestStatus(
        observed_generation=1,
        state="Running",
        runtime_name="standard",
        storage_prefix=PREFIX,
        start_time=since,
        model=model or pinned(),
        conditions=[ACCEPTED, a_condition("Succeeded", "Unknown", "Drawing")],
    )


def succeeded() -> AvatarRequestStatus:
    """Drawn."""
    conditions = [ACCEPTED, a_condition("Succeeded", "True", "Drawn")]
    return drawing().model_copy(update={"state": "Succeeded", "conditions": conditions})
