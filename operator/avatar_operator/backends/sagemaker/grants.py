"""What one piece of work may be done with: the session policy of its credentials. Pure.

A session has what its role's own policy and this one allow both. The role's covers every tenant; this one names the keys of one
piece of work, as `locations` derives them. A character of a key that IAM would take for a wildcard or a variable is written
so that it stands for itself: a tenant may call a file `*`.

KMS is allowed by way of S3 only, and so no further than the keys that may be read or written there.

Sources: IAM User Guide, "Session policies", "IAM policy elements: Variables and tags" (special characters); STS API Reference,
AssumeRole (Policy: 2,048 characters at most).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from avatar_api.avatar_model import AvatarModel
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.compute import DrawCall
from avatar_operator.backends.failures import BackendError

MAX_POLICY_CHARACTERS = 2048
LONGEST_PARTITION = "aws-us-gov"
_ITSELF = str.maketrans({"*": "${*}", "?": "${?}", "$": "${$}"})


@dataclass(frozen=True)
class Grant:
    """One piece of work, and what it may do.

    Attributes:
        work: names it for CloudTrail: the session's name.
        statements: of the session policy, as IAM knows them, but for the partition of ARNs: see `policy`.
    """

    work: str
    statements: tuple["Statement", ...]

    def policy(self, partition: str) -> str:
        """The session policy, in as few characters as it takes.

        Args:
            partition: of AWS: `aws`, `aws-cn`.
        """
        document = {
            "Version": "2012-10-17",
            "Statement": [statement.document(partition) for statement in self.statements],
        }
        return json.dumps(document, separators=(",", ":"))


@dataclass(frozen=True)
class Statement:
    """Some actions on some objects.

    Attributes:
        actions: as IAM knows them.
        resources: what follows `arn:<partition>:` in an ARN, or `*`.
        condition: as IAM knows it, if there is one.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: tuple[tuple[str, str, str], ...] = ()

    def document(self, partition: str) -> dict[str, Any]:
        """The statement as IAM reads it."""
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": [each if each == "*" else f"arn:{partition}:{each}" for each in self.resources],
        }
        if self.condition:
            statement["Condition"] = {operator: {key: value} for operator, key, value in self.condition}
        return statement


_KEYS_OF_S3 = Statement(
    ("kms:Decrypt", "kms:GenerateDataKey"), ("*",), (("StringLike", "kms:ViaService", "s3.*.amazonaws.com*"),)
)


def drawing_grant(call: DrawCall) -> Grant:
    """To store the pictures of one request, and to look at those that are there: in its own directory, and nowhere else."""
    return Grant(
        work=f"draw-{call.request_uid}",
        statements=(
            Statement(("s3:GetObject", "s3:PutObject"), _below([call.output_prefix])),
            _KEYS_OF_S3,
        ),
    )


def training_grant(model: AvatarModel, attempt: AttemptReference) -> Grant:
    """To train one attempt: to read its photos, to claim it, to leave its artifact, and to take that back.

    Photos that are named one by one are granted one by one, unless so many names do not fit into a session policy; then the
    directories that they lie in are. No directory of a photo is larger than the prefix that its tenant may name.

    Raises:
        BackendError: PhotosScattered, if not even those fit.
    """
    photos = model.spec.photos
    named = [photo.uri for photo in photos.objects or ()]
    if photos.s3_prefix is not None:
        return _training(attempt, _below([photos.s3_prefix]))
    directories = sorted({f"{uri.rpartition('/')[0]}/" for uri in named})
    for granted in (tuple(_object(uri) for uri in named), _below(directories)):
        grant = _training(attempt, granted)
        if len(grant.policy(LONGEST_PARTITION)) <= MAX_POLICY_CHARACTERS:
            return grant
    raise BackendError(
        "PhotosScattered",
        f"The photos lie in {len(directories)} directories, and their names are too long for one permission to list them all."
        " Put them into one directory.",
        retryable=False,
    )


def _training(attempt: AttemptReference, photos: tuple[str, ...]) -> Grant:
    locations = attempt.locations
    own = (_object(locations.artifact), _object(locations.manifest))
    return Grant(
        work=attempt.inference_id,
        statements=(
            Statement(("s3:GetObject", "s3:GetObjectVersion"), photos),
            Statement(("s3:GetObject", "s3:PutObject"), (_object(locations.claim), *own)),
            Statement(("s3:DeleteObject", "s3:DeleteObjectVersion"), own),
            _KEYS_OF_S3,
        ),
    )


def _below(prefixes: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{_object(prefix)}*" for prefix in prefixes)


def _object(uri: str) -> str:
    location = S3Location.parse(uri)
    return f"s3:::{location.bucket}/{location.key.translate(_ITSELF)}"
