"""Grants that STS takes, and what to say of work for which it takes none. Pure.

A session policy has 2,048 characters at most. A quarter of them is what every training needs; the rest is shared by the keys that
the runtime chooses and the photos that the tenant names. Whoever has the larger part is told to make it shorter: a tenant can
mend its own prefix, and only the platform team a runtime.

STS packs the policy as well, and that has a limit of its own which nobody can compute beforehand: it depends on how well the text
can be compressed, and on the account. So a grant that fits may be refused all the same; the next wider one is tried then, and if
there is none, the words are the same.

Sources: STS API Reference, AssumeRole (Policy, PackedPolicySize, PackedPolicyTooLarge); IAM User Guide, "IAM and STS quotas".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.grants import (
    Grant,
    directories,
    drawing_grant,
    training_grant_below,
    training_grants,
)
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec
from avatar_operator.locations import drawing_prefix, runtime_storage
from avatar_operator.names import inference_id
from avatar_operator.own_places import MAX_ATTEMPT

MAX_POLICY_CHARACTERS = 2048
SPELLING = "`*`, `?` and `$` count as four characters there, and letters outside Latin-1 as six or twelve."


@dataclass(frozen=True)
class FittingGrants:
    """What one piece of work may be granted.

    Attributes:
        grants: those that are short enough, the narrowest first. There is one at least.
        unpacked: what to say if STS can pack none of them.
    """

    grants: tuple[Grant, ...]
    unpacked: BackendError


def fitting_training_grants(
    runtime: AvatarRuntime, attempt: AttemptReference, photos: Sequence[str]
) -> FittingGrants:
    """What an attempt may be granted that learns from some photos.

    Raises:
        BackendError: PhotosScattered or SessionPolicyTooLong, if nothing is short enough. It is final.
    """
    return _fitting_training(runtime, attempt, training_grants(attempt, photos), directories(photos))


def fitting_drawing_grant(runtime: AvatarRuntime, request_uid: str, output_prefix: str) -> FittingGrants:
    """What may be granted to whoever draws a request's pictures.

    Raises:
        BackendError: SessionPolicyTooLong, if that is not short enough. It is final.
    """
    partition, grant = _partition(runtime), drawing_grant(request_uid, output_prefix)
    whole = len(grant.policy(partition))
    fault = _Fault(runtime, "spec.output.prefix", "spec.storage.outputs", whole)
    is_the_runtimes = output_prefix.startswith(runtime.spec.storage.outputs)
    refused = fault.of_the_runtime() if is_the_runtimes else fault.of_the_tenant()
    if whole > MAX_POLICY_CHARACTERS:
        raise refused
    return FittingGrants((grant,), refused)


def training_obstacle(runtime: AvatarRuntime, model: AvatarModel) -> BackendError | None:
    """Why no attempt can be granted the photos that a model names, whatever the attempt's number; None if each can."""
    if sagemaker_spec(runtime).attempt_role_arn is None:
        return None
    uid, revision, photos = model.metadata.uid, model.spec.revision, model.spec.photos
    attempt = AttemptReference(
        namespace=model.metadata.namespace,
        uid=uid,
        revision=revision,
        attempt=MAX_ATTEMPT,
        inference_id=inference_id(uid, revision, MAX_ATTEMPT),
        storage=runtime_storage(runtime),
    )
    try:
        if photos.s3_prefix is not None:
            _fitting_training(
                runtime, attempt, (training_grant_below(attempt, [photos.s3_prefix]),), (photos.s3_prefix,)
            )
        else:
            fitting_training_grants(runtime, attempt, [photo.uri for photo in photos.objects or ()])
    except BackendError as error:
        return error
    return None


def drawing_obstacle(runtime: AvatarRuntime, request: AvatarRequest) -> BackendError | None:
    """Why nobody can be granted to store a request's pictures; None if somebody can."""
    if sagemaker_spec(runtime).attempt_role_arn is None:
        return None
    try:
        fitting_drawing_grant(runtime, request.metadata.uid, drawing_prefix(runtime, request))
    except BackendError as error:
        return error
    return None


def _fitting_training(
    runtime: AvatarRuntime, attempt: AttemptReference, grants: Sequence[Grant], places: Sequence[str]
) -> FittingGrants:
    partition = _partition(runtime)

    def length(grant: Grant) -> int:
        return len(grant.policy(partition))

    whole, own = length(grants[-1]), training_grant_below(attempt, ())
    tenants, runtimes = whole - length(own), length(own) - length(own.without_keys())
    fault = _Fault(runtime, "spec.photos", "spec.storage.requests and spec.storage.artifacts", whole)
    is_the_runtimes = runtimes > tenants or length(own) >= MAX_POLICY_CHARACTERS
    refused = fault.of_the_runtime() if is_the_runtimes else fault.of_the_tenant()
    fitting = tuple(grant for grant in grants if length(grant) <= MAX_POLICY_CHARACTERS)
    if fitting:
        return FittingGrants(fitting, refused)
    shortest = min(places, key=len)
    if len(places) > 1 and length(training_grant_below(attempt, [shortest])) <= MAX_POLICY_CHARACTERS:
        raise fault.of_many(len(places))
    raise refused


@dataclass(frozen=True)
class _Fault:
    """Who has to mend a session policy, and how.

    Attributes:
        tenants: the field of the tenant's that is spelled out in it.
        runtimes: those of the runtime's.
        characters: how many it has.
    """

    runtime: AvatarRuntime
    tenants: str
    runtimes: str
    characters: int

    def of_the_tenant(self) -> BackendError:
        excess = self.characters - MAX_POLICY_CHARACTERS
        by = f"by {excess:,} characters" if excess > 0 else "by half"
        message = f"{self._story()} What takes most room is {self.tenants}: shorten what stands there {by}. {SPELLING}"
        return BackendError("SessionPolicyTooLong", message, retryable=False)

    def of_many(self, places: int) -> BackendError:
        message = f"{self._story()} It has to name the {places} directories of {self.tenants}: put the photos into one."
        return BackendError("PhotosScattered", message, retryable=False)

    def of_the_runtime(self) -> BackendError:
        message = (
            f"{self._story()} What takes most room is {self.runtimes} of the AvatarRuntime, not {self.tenants}. Ask the"
            " platform team for a runtime with shorter prefixes: those of this one never change."
        )
        return BackendError("SessionPolicyTooLong", message, retryable=False)

    def _story(self) -> str:
        return (
            f"AvatarRuntime {self.runtime.metadata.name} limits workers to one piece of work by a session policy of AWS. For this"
            f" one it would have {self.characters:,} characters; AWS takes {MAX_POLICY_CHARACTERS:,} at most, and fewer where it"
            " cannot pack them."
        )


def _partition(runtime: AvatarRuntime) -> str:
    role = sagemaker_spec(runtime).attempt_role_arn
    assert role is not None
    return role.split(":")[1]
