"""Deletion: first the users go, then the endpoints, then the runtime itself.

A runtime that may not delete its endpoints stays and says why: they cost money every hour, and once the object is gone nobody
remembers them. So does one that keeps the record of data that could not be removed. A person who knows better has a way out, an
annotation; what stays is named in farewell.

A namespace that cannot be watched may hold users that nobody sees. After a restart of the operator nothing at all is known of it.
"""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.condition_drafts import set_condition, set_lasting_condition
from avatar_operator.core.decision import HOPELESS_PAUSE_SECONDS, ActionFailed, Notice, Retry
from avatar_operator.core.words import counted
from avatar_operator.left_behind.last_removal import is_awaited
from avatar_operator.runtime_lifecycle.actions import (
    DeleteEndpoints,
    EndpointsDeleted,
    RemoveLeftBehind,
    RuntimeAction,
    RuntimeDraft,
)
from avatar_operator.runtime_lifecycle.conditions import READY
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation

ABANDON = "avatars.dev/abandon"
LOOK_SECONDS = 3.0
IN_USE_LOOK_SECONDS = 30.0
MAX_NAMED = 3
_WAY_OUT = f'To let the runtime go and remove this yourself, annotate it {ABANDON}: "true".'


def deletion(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Wait for the users: without the runtime nobody could find and remove their data."""
    if observation.runtime.metadata.deletion_timestamp is None:
        return draft
    use = _why_in_use(observation)
    if use is not None:
        draft = set_condition(observation, draft, READY, "False", "InUse", use)
        return draft.look_again_in(IN_USE_LOOK_SECONDS).finish()
    return draft.act(DeleteEndpoints()).finish()


def _why_in_use(observation: RuntimeObservation) -> str | None:
    if observation.users:
        return f"In use by {observation.users.in_words()}: the runtime goes when they are gone."
    if observation.unseen and not is_abandoned(observation.runtime):
        return (
            f"It may be in use in {', '.join(observation.unseen)}, which the operator cannot watch: give it back its Role and"
            f" RoleBinding there, or take what is gone out of spec.tenancy.allowedNamespaces. {_WAY_OUT}"
        )
    return None


def fold_deletion(
    observation: RuntimeObservation, draft: RuntimeDraft, fact: EndpointsDeleted | ActionFailed[RuntimeAction]
) -> RuntimeDraft:
    """What is left of the endpoints."""
    match fact:
        case EndpointsDeleted(facts=facts) if facts.ready and not draft.status.left_behind:
            return draft.remove_finalizer()
        case EndpointsDeleted(facts=facts) if facts.ready and is_abandoned(observation.runtime):
            return _abandon(draft, _data_that_stays(draft))
        case EndpointsDeleted(facts=facts) if facts.ready and _awaits_only(observation, draft):
            return _without_workers(observation, draft)
        case EndpointsDeleted(facts=facts) if facts.ready:
            explanation = (
                f"{_data_that_stays(draft)} Mend what stands in the way: it is tried again until it works."
                f" {_WAY_OUT}"
            )
            draft = set_condition(observation, draft, READY, "False", "LeftBehind", explanation)
            return draft.retry(Retry("LeftBehind", explanation, HOPELESS_PAUSE_SECONDS))
        case EndpointsDeleted(facts=facts):
            message = facts.message or "The endpoints are being deleted."
            draft = set_condition(observation, draft, READY, "False", facts.reason, message)
            return draft.look_again_in(LOOK_SECONDS)
        case ActionFailed(message=message) if is_abandoned(observation.runtime):
            stays = [_endpoints_that_stay(observation.runtime)]
            if draft.status.left_behind:
                stays.append(_data_that_stays(draft))
            return _abandon(draft, f"{' '.join(stays)} ({message})")
        case ActionFailed(reason=reason, message=message):
            beginning = "The endpoints cannot be deleted: "
            explanation = f"{beginning}{message} It is tried again until it works. {_WAY_OUT}"
            draft = set_lasting_condition(
                observation, draft, READY, "False", reason, explanation, beginning=beginning
            )
            return draft.retry(fact.as_retry(hopeless_pause=HOPELESS_PAUSE_SECONDS))


def _awaits_only(observation: RuntimeObservation, draft: RuntimeDraft) -> bool:
    return all(is_awaited(entry, observation.now) for entry in draft.status.left_behind)


def _without_workers(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """All that is left is what workers may still store: nothing, if they went with the endpoints."""
    entries = draft.status.left_behind
    if observation.runtime.spec.management_policy != "Observe":
        return draft.act(*(RemoveLeftBehind(entry, for_good=True) for entry in entries)).look_again_in(
            LOOK_SECONDS
        )
    end = max(entry.may_grow_until or observation.now for entry in entries)
    explanation = (
        f"A worker of an endpoint that is not the operator's may store something of {counted(len(entries), 'object')}"
        f" until {end:%Y-%m-%dT%H:%M:%SZ}; then it is removed. {_WAY_OUT}"
    )
    draft = set_condition(observation, draft, READY, "False", "LeftBehind", explanation)
    return draft.look_again_in((end - observation.now).total_seconds())


def _abandon(draft: RuntimeDraft, what_stays: str) -> RuntimeDraft:
    message = f"Let go because it is annotated {ABANDON}. {what_stays}"
    return draft.say_farewell(Notice("Warning", "Abandoned", message)).remove_finalizer()


def is_abandoned(runtime: AvatarRuntime) -> bool:
    """Whether a person wants the runtime to go whatever cannot be removed."""
    return runtime.metadata.annotations.get(ABANDON) == "true"


def _endpoints_that_stay(runtime: AvatarRuntime) -> str:
    sagemaker = runtime.spec.backend.sagemaker
    names = {endpoint.name for endpoint in runtime.status.endpoints}
    if sagemaker is not None:
        names |= {sagemaker.training.endpoint_name, sagemaker.inference.endpoint_name}
    if not names:
        return "No endpoint is known to stay behind."
    return (
        f"These stay, and cost money until you remove them: endpoints {', '.join(sorted(names))}, with their"
        " configurations and models."
    )


def _data_that_stays(draft: RuntimeDraft) -> str:
    entries = draft.status.left_behind
    named = "; ".join(
        f"{entry.kind} {entry.namespace}/{entry.name} in {', '.join([*entry.locations, *entry.retained])}"
        for entry in entries[:MAX_NAMED]
    )
    more = f"; and {len(entries) - MAX_NAMED} more" if len(entries) > MAX_NAMED else ""
    return f"Data of {counted(len(entries), 'object')} could not be removed, or marked as retained: {named}{more}."
