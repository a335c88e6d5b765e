"""kstatus: two conditions that tools read without knowing our kinds. Pure.

`Reconciling` is True while the operator has something to do for the object, `Stalled` is True if nothing will happen
until a person changes something. `kubectl wait`, Flux and Argo CD's health checks tell "in progress" from "failed" by
them. (sigs.k8s.io/cli-utils, pkg/kstatus, README "Abnormal-true conditions".)
"""

from typing import TypeVar

from avatar_api.meta import ObservedStatus
from avatar_operator.core.condition_drafts import Observation, set_condition
from avatar_operator.core.conditions import RECONCILING, STALLED
from avatar_operator.core.decision import Draft

StatusT = TypeVar("StatusT", bound=ObservedStatus)
ActionT = TypeVar("ActionT")


def at_work(
    observation: Observation, draft: Draft[StatusT, ActionT], reason: str, message: str
) -> Draft[StatusT, ActionT]:
    """The draft of an object that the operator is busy with, or that waits for something that will come."""
    draft = set_condition(observation, draft, RECONCILING, "True", reason, message)
    return set_condition(observation, draft, STALLED, "False", "InProgress", "")


def at_rest(observation: Observation, draft: Draft[StatusT, ActionT], reason: str) -> Draft[StatusT, ActionT]:
    """The draft of an object that is what it should be."""
    draft = set_condition(observation, draft, RECONCILING, "False", reason, "")
    return set_condition(observation, draft, STALLED, "False", reason, "")


def stalled(
    observation: Observation, draft: Draft[StatusT, ActionT], reason: str, message: str
) -> Draft[StatusT, ActionT]:
    """The draft of an object that a person has to mend."""
    draft = set_condition(observation, draft, RECONCILING, "False", reason, "")
    return set_condition(observation, draft, STALLED, "True", reason, message)
