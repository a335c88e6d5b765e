"""Credentials for one piece of work: what one attempt, or one request's pictures, may be done with, and for how long.

The operator assumes the runtime's attempt role with a session policy that names the keys of this piece of work and no others. So a
worker that is taken over by one tenant's photos is given nothing of another's (what its container's own role still reaches
stands in docs/security/threat-model.md). They are secrets: no `repr` shows them, and no log,
status or Event may.

An invocation that draws carries its own. A training waits for hours in SageMaker's queue, and no session lives that long: so its
request only names the place where the operator keeps credentials that are good (`AttemptCredentials`), and the worker reads
them there with its own role, as often as it takes.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.documents.bounds import DocumentTime, InferenceId
from avatar_api.schema_base import ApiModel


class SessionCredentials(ApiModel):
    """A session of AWS STS."""

    access_key_id: Annotated[str, Field(min_length=16, max_length=128, pattern=r"^\w+$", repr=False)]
    secret_access_key: Annotated[str, Field(min_length=1, max_length=256, repr=False)]
    session_token: Annotated[str, Field(min_length=1, max_length=8192, repr=False)]
    expiration: DocumentTime


class AttemptCredentials(ApiModel):
    """What an attempt to train works with, until the operator writes a newer one in the same place."""

    schema_version: Literal["avatars.dev/attempt-credentials/v1alpha1"] = (
        "avatars.dev/attempt-credentials/v1alpha1"
    )
    inference_id: InferenceId
    credentials: SessionCredentials
