"""The effects of an AvatarRuntime's life."""

from dataclasses import dataclass

from avatar_api.avatar_runtime import AvatarRuntime, AvatarRuntimeStatus
from avatar_api.group import AVATAR_RUNTIME
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.runtime_lifecycle.lifecycle import decide, fold_facts, summarise
from avatar_operator.runtime_lifecycle.observation import (
    DeleteEndpoints,
    EnsureEndpoints,
    RuntimeDraft,
    RuntimeObservation,
)


@dataclass
class RuntimeLifecycle:
    """An AvatarRuntime's observe and act."""

    cache: ObjectCache
    backends: Backends
    clock: Clock
    kind = AVATAR_RUNTIME

    async def observe(self, body: Object) -> RuntimeObservation:
        """Gather who uses the runtime."""
        runtime = AvatarRuntime.model_validate(body)
        users = self.cache.dependents(ObjectKey(AVATAR_RUNTIME.kind, "", runtime.metadata.name))
        return RuntimeObservation(now=self.clock.now(), runtime=runtime, users=len(users))

    def decide(self, observation: RuntimeObservation) -> RuntimeDraft:
        """What to do. Pure."""
        return decide(observation)

    def summarise(self, observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
        """Derive the summary from the details. Pure."""
        return summarise(observation, draft)

    def observed_status(self, observation: RuntimeObservation) -> AvatarRuntimeStatus:
        """The status as it was observed."""
        return observation.runtime.status

    def occasion(self, status: AvatarRuntimeStatus) -> str:
        """What happens to another generation is news."""
        return f"generation-{status.observed_generation}"

    def written(self, observation: RuntimeObservation, status: AvatarRuntimeStatus) -> None:
        """Nothing to remember."""

    def forget(self, key: ObjectKey) -> None:
        """Nothing is remembered."""

    async def act(self, observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
        """Carry out the actions in their order."""
        for action in draft.actions:
            try:
                compute = self.backends.of(observation.runtime).compute
                match action:
                    case EnsureEndpoints():
                        draft = fold_facts(
                            observation, draft, await compute.ensure_endpoints(observation.runtime)
                        )
                    case DeleteEndpoints():
                        facts = await compute.delete_endpoints(observation.runtime)
                        draft = draft.remove_finalizer() if facts.ready else draft.look_again_in(3.0)
            except BackendError as error:
                unknown = EndpointsFacts(
                    ready=False,
                    reason=error.reason,
                    message=error.message,
                    endpoints=tuple(draft.status.endpoints),
                )
                draft = fold_facts(observation, draft, unknown).retry(at_least=error.retry_after or 1.0)
        return draft
