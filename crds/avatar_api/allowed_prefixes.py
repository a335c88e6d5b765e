"""Prefixes in S3 that a runtime lets users name, and what makes a list of them dangerous by accident.

`{namespace}` in a prefix stands for the namespace of the object that asks. It keeps tenants apart as long as it is a whole
segment, or stands in the bucket's name: prefixes end with a slash, so what is `a/` for one namespace is never a part of `ab/`.
Three accidents take that away, and each is refused:

    s3://photos/                                            everybody's photos are everybody's
    s3://b/{namespace}/ and s3://b/photos/{namespace}/      a namespace called `photos` has everybody's
    s3://b/{namespace}/, where requests go to s3://b/r/     a namespace called `r` has everybody's requests

The first can be meant: `shared: true` says so. The rules run in the API server; the operator asks the same questions about
runtimes that are older than they.
"""

from typing import Annotated

from pydantic import Field

from avatar_api.literal_locations import LITERAL
from avatar_api.schema_base import ApiModel
from avatar_api.validation_rules import rules, spelled

NAMESPACE = "{namespace}"
"""Stands for the namespace of the object that asks."""
LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
"""A regular expression for what namespaces may be called."""
ANY_NAME = rf"'\\E{LABEL}\\Q'"
"""The same, as CEL's literal for the middle of a regular expression that takes the rest to the letter."""
AllowedPrefix = Annotated[
    str,
    spelled(
        r"^s3://[^/]+/(.*/)?$",
        "name an S3 prefix, with a slash at the end: s3://bucket/photos/{namespace}/",
        LITERAL,
        max_length=1024,
    ),
]

_APART = r"^s3://([^/]*\{namespace\}[^/]*/|.*/\{namespace\}/)"
_ALL = "(self.photos + (has(self.outputs) ? self.outputs : []))"
_NAMING = f"{_ALL}.filter(p, p.contains('{NAMESPACE}') && p.endsWith('/'))"
_PARTS = f"f.split('{NAMESPACE}')"
_TAIL = f"{_PARTS}[size({_PARTS}) - 1]"

APART = (
    f"(has(self.shared) && self.shared) || {_ALL}.all(p, p.matches(r'{_APART}'))",
    "a prefix without {namespace} lets every tenant name what is another's: write {namespace} between two slashes, or into the"
    " bucket's name, such as s3://bucket/photos/{namespace}/; or say shared: true if that is meant",
)
DISTINCT = (
    # f: a prefix up to the slash behind its first {namespace}. r: what another one has in that place.
    f"{_NAMING}.map(f, f.substring(0, f.indexOf('/', f.indexOf('{NAMESPACE}')) + 1)).all(f,"
    f" {_NAMING}.filter(q, q.startsWith({_PARTS}[0]) && !q.startsWith(f))"
    f".map(q, q.substring(size({_PARTS}[0]), q.indexOf('/', size({_PARTS}[0])) + 1))"
    f".all(r, !r.endsWith({_TAIL}) && !(r.contains('{NAMESPACE}')"
    f" && {_TAIL}.endsWith(r.split('{NAMESPACE}')[size(r.split('{NAMESPACE}')) - 1]))))",
    "one namespace's prefix must not lie in another's: with s3://b/{namespace}/ and s3://b/photos/{namespace}/ a namespace called"
    " photos has everybody's. Begin all prefixes alike up to {namespace}, or with different names",
)
OVERLAP = (
    # Of a prefix only as many segments matter as the place has; in them {namespace} may become any name.
    "[self.requests, self.artifacts, self.outputs].all(place,"
    " (self.allowed.photos + (has(self.allowed.outputs) ? self.allowed.outputs : [])).all(p,"
    f" [p.split('/', size(place.split('/')))].all(parts,"
    r" !place.matches('^\\Q' + p.substring(0, size(p) - size(parts[size(parts) - 1]))"
    rf".replace('{NAMESPACE}', {ANY_NAME}) + '\\E'))))",
    "storage.allowed must not overlap storage.requests, artifacts or outputs, whatever {namespace} stands for: users could name"
    " what the operator keeps there. Choose other prefixes",
)
"""For `spec.storage`."""


class AllowedLocations(ApiModel):
    """Prefixes that users may name. `{namespace}` in a prefix stands for the namespace of the object that asks."""

    model_config = rules(APART, DISTINCT)

    photos: Annotated[
        list[AllowedPrefix],
        Field(
            min_length=1,
            max_length=32,
            description="S3 prefixes that AvatarModels may name photos below, such as s3://bucket/photos/{namespace}/.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ]
    outputs: Annotated[
        list[AllowedPrefix],
        Field(
            max_length=32,
            description="S3 prefixes that AvatarRequests may have their pictures below. Empty: they all go to storage.outputs.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = Field(default_factory=list)
    shared: Annotated[
        bool,
        Field(
            description="True: prefixes without {namespace} are meant, and every tenant may name what lies below them."
        ),
    ] = False
