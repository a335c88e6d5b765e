"""What one piece of work may be done with: the session policy of its credentials. Pure.

A session has what its role's own policy and this one allow both. The role's covers every tenant; this one names the keys of one
piece of work, as `locations` derives them. A character of a key that IAM would take for a wildcard or a variable is written
so that it stands for itself: a tenant may call a file `*`.

KMS is allowed by way of S3 only, and so no further than the keys that may be read or written there.

STS bounds a policy's length (`fitting_grants`), so each key stands in it once, and is spelled as short as STS takes it: letters
up to U+00FF as they are, all others as JSON escapes them, because STS takes none of them otherwise.

Sources: IAM User Guide, "Session policies", "IAM policy elements: Variables and tags" (special characters); STS API Reference,
AssumeRole (what Policy may consist of: tabs, line breaks, and U+0020 to U+00FF).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from avatar_operator.aws.s3_location import S3Location
from avatar_operator.backends.attempts import AttemptReference

_NOT_PLAIN = re.compile(r"[^\u0000-\u00ff]+")
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
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        return _NOT_PLAIN.sub(lambda found: json.dumps(found.group())[1:-1], text)

    def without_keys(self) -> "Grant":
        """The same about nothing: what is left is spelled whatever is granted."""
        return replace(self, statements=tuple(replace(each, resources=()) for each in self.statements))


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
            "Action": _one_or_all(self.actions),
            "Resource": _one_or_all(
                [each if each == "*" else f"arn:{partition}:{each}" for each in self.resources]
            ),
        }
        if self.condition:
            statement["Condition"] = {operator: {key: value} for operator, key, value in self.condition}
        return statement


_KEYS_OF_S3 = Statement(
    ("kms:Decrypt", "kms:GenerateDataKey"), ("*",), (("StringLike", "kms:ViaService", "s3.*.amazonaws.com*"),)
)


def drawing_grant(request_uid: str, output_prefix: str) -> Grant:
    """To store the pictures of one request, and to look at those that are there: in its own directory, and nowhere else."""
    return Grant(
        work=f"draw-{request_uid}",
        statements=(
            Statement(("s3:GetObject", "s3:PutObject"), _below([output_prefix])),
            _KEYS_OF_S3,
        ),
    )


def training_grants(attempt: AttemptReference, photos: Sequence[str]) -> tuple[Grant, Grant]:
    """To train one attempt: to read its photos, to claim it, to leave its artifact, and to take that back.

    No directory of a photo is larger than the prefix that its tenant may name.

    Args:
        attempt: which one.
        photos: S3 URIs of the photos that it learns from.

    Returns:
        One that names the photos, and one that names their directories, for photos whose names are too many.
    """
    return (
        _training(attempt, tuple(_object(uri) for uri in photos)),
        training_grant_below(attempt, directories(photos)),
    )


def training_grant_below(attempt: AttemptReference, prefixes: Sequence[str]) -> Grant:
    """To train one attempt with what lies below some prefixes."""
    return _training(attempt, _below(prefixes))


def directories(uris: Sequence[str]) -> tuple[str, ...]:
    """The directories that objects lie in, but for those that lie in another one of them."""
    found: list[str] = []
    for directory in sorted({f"{uri.rpartition('/')[0]}/" for uri in uris}):
        if not found or not directory.startswith(found[-1]):
            found.append(directory)
    return tuple(found)


def _training(attempt: AttemptReference, photos: tuple[str, ...]) -> Grant:
    locations = attempt.locations
    return Grant(
        work=attempt.inference_id,
        statements=(
            Statement(("s3:GetObject", "s3:GetObjectVersion"), photos),
            Statement(("s3:GetObject", "s3:PutObject"), (_object(locations.claim),)),
            Statement(
                ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
                (_object(locations.artifact), _object(locations.manifest)),
            ),
            _KEYS_OF_S3,
        ),
    )


def _below(prefixes: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{_object(prefix)}*" for prefix in prefixes)


def _object(uri: str) -> str:
    location = S3Location.parse(uri)
    return f"s3:::{location.bucket}/{location.key.translate(_ITSELF)}"


def _one_or_all(words: Sequence[str]) -> str | list[str]:
    return words[0] if len(words) == 1 else list(words)
