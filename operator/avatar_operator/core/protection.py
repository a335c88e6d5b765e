"""Protection: what will have to be undone is held before anything is done. Pure.

The finalizer is the operator's promise to clean up. So it is there before the first thing happens outside, and an object
that goes without it is none of ours to clean up after, or has been cleaned up.
"""

from typing import TypeVar

from avatar_api.group import FINALIZER
from avatar_api.meta import ObjectMeta
from avatar_operator.core.decision import Draft

StatusT = TypeVar("StatusT")
ActionT = TypeVar("ActionT")


def protected(metadata: ObjectMeta, draft: Draft[StatusT, ActionT]) -> Draft[StatusT, ActionT]:
    """The draft that holds the object; it is finished if the object is going and not held.

    Args:
        metadata: of the object as it was observed.
        draft: the decision so far.
    """
    held = FINALIZER in metadata.finalizers
    if metadata.deletion_timestamp is not None:
        return draft if held else draft.finish()
    return draft if held else draft.add_finalizer()
