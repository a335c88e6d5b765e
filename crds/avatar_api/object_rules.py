"""CEL rules over whole objects: what is judged by the name, or by spec and status together.

A name is judged when an object is created and never again: one that stands under a name of old must stay possible to
update, and to delete, since taking a finalizer away is an update too.
"""

from typing import Any

from avatar_api.schema_base import RESOURCE_NAME_PATTERN, RESOURCE_NAME_SENTENCE
from avatar_api.validation_rules import unchanged

Rule = dict[str, Any]

REFERABLE_NAME: Rule = {
    "rule": "oldSelf.hasValue() || (size(self.metadata.name) <= 63"
    f" && self.metadata.name.matches(r'{RESOURCE_NAME_PATTERN}'))",
    "message": RESOURCE_NAME_SENTENCE,
    "optionalOldSelf": True,
    "fieldPath": ".metadata.name",
}
"""For kinds that others refer to by name. A reference is a DNS label, so that every longer name could never be used."""

_SEEN = "oldSelf.?status.?observedGeneration.orValue(0) > 0"
_ATTEMPTED = "oldSelf.?status.?training.?attempt.orValue(0) > 0"
_SAME_REVISION = "oldSelf.?status.?training.?revision.orValue(0) == oldSelf.spec.revision"
_SAME_INPUTS = unchanged("photos", "subject", "training", below=".spec")

FIXED_ONCE_PLANNED: Rule = {
    "rule": f"self.spec.revision != oldSelf.spec.revision || ({_SEEN} && !({_SAME_REVISION} && {_ATTEMPTED}))"
    f" || ({_SAME_INPUTS})",
    "message": "spec.photos, spec.subject and spec.training are fixed for a revision: raise spec.revision to train again",
    "reason": "FieldValueForbidden",
    "fieldPath": ".spec",
}
"""An AvatarModel's inputs may be corrected while the operator has said that nothing is planned for the revision.

Before it has said anything they are fixed: who applies two manifests in a row must not leave it to chance which of them
is trained. Raising the revision is free then, since nothing was trained.
"""

FIXED_ONCE_STORED: Rule = {
    "rule": "self.spec.runtimeRef == oldSelf.spec.runtimeRef"
    f" || !(has(oldSelf.status) && (has(oldSelf.status.storage) || has(oldSelf.status.artifact) || {_ATTEMPTED}))",
    "message": "spec.runtimeRef is fixed once training was planned, because the model's data lie in that runtime's storage:"
    " create another AvatarModel",
    "reason": "FieldValueForbidden",
    "fieldPath": ".spec.runtimeRef",
}
"""An AvatarModel's runtime may be corrected until something of the model is stored with it."""
