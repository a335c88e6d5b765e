"""Credentials for workers, one session of the runtime's attempt role for each piece of work.

A session is used again for the same work while more than half of its life is left, so that a request of many invocations
does not assume the role for each. They are kept in memory alone, by what they allow: whoever asks for anything else gets a
session of its own, and what is outdated goes when the next one comes. Lost with the process, they are assumed anew.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.credentials import SessionCredentials
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AWS_CALL_ERRORS, attempt_role_failure
from avatar_operator.backends.sagemaker.grants import Grant
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec

SESSION_SECONDS = 900
"""The shortest that STS gives. An invocation takes a minute."""


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

    async def credentials(self, runtime: AvatarRuntime, grant: Grant) -> SessionCredentials | None:
        """Credentials for a piece of work; None if the runtime has no attempt role.

        Raises:
            AwsFailure: AttemptRoleRefused, or what else failed.
        """
        spec = sagemaker_spec(runtime)
        role = spec.attempt_role_arn
        if role is None:
            return None
        key, now = (spec.region, role, grant), self._monotonic()
        known = self._sessions.get(key)
        if known is not None and now < known.outdated_at:
            return known.credentials
        credentials = await self._assume(spec.region, role, grant)
        self._sessions = {
            each: session for each, session in self._sessions.items() if now < session.outdated_at
        }
        self._sessions[key] = _Session(credentials, now + SESSION_SECONDS / 2)
        return credentials

    def __len__(self) -> int:
        return len(self._sessions)

    async def _assume(self, region: str, role: str, grant: Grant) -> SessionCredentials:
        partition = role.split(":")[1]
        try:
            given = await self._clients.sts(
                region,
                "AssumeRole",
                lambda sts: sts.assume_role(
                    RoleArn=role,
                    RoleSessionName=grant.work,
                    DurationSeconds=SESSION_SECONDS,
                    Policy=grant.policy(partition),
                )["Credentials"],
            )
        except AWS_CALL_ERRORS as error:
            raise attempt_role_failure(error, f"assume {role} for {grant.work}") from error
        return SessionCredentials(
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
            expiration=given["Expiration"],
        )
