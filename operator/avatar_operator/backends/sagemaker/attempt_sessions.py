"""Credentials for workers, one session of the runtime's attempt role for each piece of work.

A session for drawing is used again for the same request while more than half of its life is left, so that a request of many
invocations does not assume the role for each. They are kept in memory alone, by what they allow: whoever asks for anything
else gets a session of its own, and what is outdated goes when the next one comes. Lost with the process, they are assumed anew.

A session for training lives for an hour: that is all that a role which was itself assumed may give ("role chaining", IAM User
Guide). It is renewed after a third of it, so that whoever is away for half an hour ends nobody's training.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.credentials import SessionCredentials
from avatar_api.documents.training import TrainingRequest
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AWS_CALL_ERRORS, attempt_role_failure, error_code
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.compute import DrawCall
from avatar_operator.backends.sagemaker.fitting_grants import (
    FittingGrants,
    fitting_drawing_grant,
    fitting_training_grants,
)
from avatar_operator.backends.sagemaker.grants import Grant
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec

DRAWING_SECONDS = 900
"""The shortest that STS gives. An invocation takes a minute."""
TRAINING_SECONDS = 3600
TRAINING_RENEWAL_SECONDS = TRAINING_SECONDS / 3
UNPACKED = "PackedPolicyTooLarge"


@dataclass(frozen=True)
class _Session:
    credentials: SessionCredentials
    outdated_at: float


class AttemptSessions:
    """Assumes attempt roles.

    Args:
        clients: where AWS calls run.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(self, clients: AwsClients, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clients = clients
        self._monotonic = monotonic
        self._sessions: dict[tuple[str, str, Grant], _Session] = {}

    async def of_drawing(self, runtime: AvatarRuntime, call: DrawCall) -> SessionCredentials | None:
        """Credentials for the pictures of a request; None if the runtime has no attempt role.

        Raises:
            AwsFailure: AttemptRoleRefused, or what else failed.
            BackendError: SessionPolicyTooLong.
        """
        spec = sagemaker_spec(runtime)
        role = spec.attempt_role_arn
        if role is None:
            return None
        fitting = fitting_drawing_grant(runtime, call.request_uid, call.output_prefix)
        key, now = (spec.region, role, fitting.grants[0]), self._monotonic()
        known = self._sessions.get(key)
        if known is not None and now < known.outdated_at:
            return known.credentials
        credentials = await self._assume_narrowest(spec.region, role, fitting, DRAWING_SECONDS)
        self._sessions = {
            each: session for each, session in self._sessions.items() if now < session.outdated_at
        }
        self._sessions[key] = _Session(credentials, now + DRAWING_SECONDS / 2)
        return credentials

    async def of_training(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> SessionCredentials | None:
        """New credentials for an attempt to train as its request says; None if the runtime has no attempt role.

        Raises:
            AwsFailure: AttemptRoleRefused, or what else failed.
            BackendError: SessionPolicyTooLong, PhotosScattered.
        """
        spec = sagemaker_spec(runtime)
        if spec.attempt_role_arn is None:
            return None
        fitting = fitting_training_grants(runtime, attempt, [photo.uri for photo in request.photos])
        return await self._assume_narrowest(spec.region, spec.attempt_role_arn, fitting, TRAINING_SECONDS)

    def __len__(self) -> int:
        return len(self._sessions)

    async def _assume_narrowest(
        self, region: str, role: str, fitting: FittingGrants, seconds: int
    ) -> SessionCredentials:
        for grant in fitting.grants:
            credentials = await self._assume(region, role, grant, seconds)
            if credentials is not None:
                return credentials
        raise fitting.unpacked

    async def _assume(self, region: str, role: str, grant: Grant, seconds: int) -> SessionCredentials | None:
        """A session; None if STS cannot pack what it is to be limited to."""
        partition = role.split(":")[1]
        try:
            given = await self._clients.sts(
                region,
                "AssumeRole",
                lambda sts: sts.assume_role(
                    RoleArn=role,
                    RoleSessionName=grant.work,
                    DurationSeconds=seconds,
                    Policy=grant.policy(partition),
                )["Credentials"],
            )
        except AWS_CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) == UNPACKED:
                return None
            raise attempt_role_failure(error, f"assume {role} for {grant.work}") from error
        return SessionCredentials(
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
            expiration=given["Expiration"],
        )
