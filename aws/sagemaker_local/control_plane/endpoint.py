"""One endpoint and its life.

    create ──> Creating ──> InService <──> Updating ──> (new instances pass) ──> InService
                  │                            └──> RollingBack (they do not, or an alarm goes off) ──> InService, as before
                  └──> Failed                                   any settled status ──> Deleting ──> gone

Changes of fleets run on a thread per change; the API answers at once, as AWS does. During an update the old instances serve
until all new ones have answered their ping. Then the new ones take the traffic and the old ones stand by for the baking period
of the deployment policy, if it has one; they finish what they have in flight and stop, or get the traffic back.

A failed endpoint can only be deleted, and nothing can be done to one that is changing: AWS's rules, from the description of
`EndpointStatus` in the API reference and the error "Cannot update in-progress endpoint".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sagemaker_local.aws_clients import Scope
from sagemaker_local.clock import Clock
from sagemaker_local.control_plane.deployment_policy import ALL_AT_ONCE, DeploymentPolicy
from sagemaker_local.control_plane.rollback_alarms import RollbackAlarms
from sagemaker_local.control_plane.specs import EndpointSpec
from sagemaker_local.control_plane.succession import Succession
from sagemaker_local.control_plane.variants import Variant, VariantSet
from sagemaker_local.errors import validation_exception
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.instances.instance import Instance

logger = logging.getLogger(__name__)

CREATING, UPDATING, ROLLING_BACK = "Creating", "Updating", "RollingBack"
IN_SERVICE, FAILED, DELETING = "InService", "Failed", "Deleting"
_CHANGING = frozenset({CREATING, UPDATING, ROLLING_BACK, DELETING})


@dataclass(frozen=True)
class EndpointHooks:
    """What the rest of the server wants to know about an endpoint's life.

    Attributes:
        deploying: called when a create or update begins; raises to refuse it. AWS's test notifications are sent here.
        changed: called whenever the status has changed.
        capacity: called whenever requests may find room.
        gone: called when the endpoint has been deleted.
    """

    deploying: Callable[[Endpoint, EndpointSpec], None]
    changed: Callable[[Endpoint], None]
    capacity: Callable[[Endpoint], None]
    gone: Callable[[Endpoint], None]


class Endpoint:
    """An endpoint; all public methods return at once and are safe to call from any thread.

    Attributes:
        pending: what it is being created with or updated to, while it is.
        baking: whether the pending variants have the traffic and those before them stand by.
        policy: of its latest deployment.
    """

    def __init__(
        self,
        host: InstanceHost,
        hooks: EndpointHooks,
        scope: Scope,
        name: str,
        spec: EndpointSpec,
        policy: DeploymentPolicy = ALL_AT_ONCE,
    ) -> None:
        self.scope = scope
        self.name = name
        self.arn = scope.arn("sagemaker", f"endpoint/{name}")
        self.spec = spec
        self.policy = policy
        self.baking = False
        self.pending: EndpointSpec | None = spec
        self.pending_since = Clock.now()
        self.status = CREATING
        self.failure_reason: str | None = None
        self.created = self.modified = self.pending_since
        self._host = host
        self._hooks = hooks
        self._lock = threading.RLock()
        self._alarms = RollbackAlarms(host.clients, scope)
        self._succession = Succession(name, host.clock)

    def create(self) -> None:
        """Start the first deployment."""
        self._in_background(lambda: self._deploy(self.spec, {}, {}))

    def restore(
        self, status: str, counts: Mapping[str, int], weights: Mapping[str, float], reason: str | None
    ) -> None:
        """Take up the life of an endpoint of an earlier run of the server, all of whose instances are gone.

        Arguments:
            status: what it was.
            counts: the desired instances of each variant that served.
            weights: their traffic shares.
            reason: its failure reason.
        """
        if status == CREATING:
            self.create()
            return
        with self._lock:
            self.failure_reason, self.pending = reason, None
            if status != FAILED:
                self._succession.resume(self._variants_of(self.spec, weights), counts)
            self._set_status(FAILED if status == FAILED else IN_SERVICE)
        for variant in self.serving_variants():
            self._in_background(variant.fleet.await_desired)

    def update(
        self,
        spec: EndpointSpec,
        retain_counts: bool,
        retain_weights: bool,
        policy: DeploymentPolicy = ALL_AT_ONCE,
    ) -> None:
        """Replace all instances by those of another configuration.

        Arguments:
            retain_counts: keep the present instance counts of variants of the same name.
            retain_weights: keep their present weights.

        Raises:
            AwsError: when the endpoint is changing or failed, or would keep variants without instances that it cannot have.
        """
        with self._lock:
            self._require_settled()
            counts = (
                {name: variant.fleet.desired for name, variant in self.variants.items()}
                if retain_counts
                else {}
            )
            weights = (
                {name: variant.weight for name, variant in self.variants.items()} if retain_weights else {}
            )
            spec.require_instances(
                {part.name: counts[part.name] for part in spec.variants if part.name in counts}
            )
            self.pending, self.pending_since, self.policy = spec, Clock.now(), policy
            self._set_status(UPDATING)
        self._in_background(lambda: self._deploy(spec, counts, weights))

    def reweigh(self, counts: Mapping[str, int], weights: Mapping[str, float]) -> None:
        """Change instance counts and traffic shares of running variants.

        Raises:
            AwsError: when a variant is unknown or may not be left without instances, or the endpoint is changing or failed.
        """
        with self._lock:
            self._require_settled()
            unknown = sorted({*counts, *weights} - set(self.variants))
            if unknown:
                raise validation_exception(
                    f'The variant name(s) "{", ".join(unknown)}" is/are not present within endpoint configuration '
                    f'"{self.spec.config_name}".'
                )
            self.spec.require_instances(counts)
            self._set_status(UPDATING)
        self._in_background(lambda: self._reweigh(counts, weights))

    def delete(self) -> None:
        """Stop everything.

        Raises:
            AwsError: when the endpoint is changing.
        """
        with self._lock:
            if self.status in _CHANGING:
                raise validation_exception(f'Cannot update in-progress endpoint "{self.arn}".')
            self._set_status(DELETING)
        self._in_background(self._delete)

    def close(self, grace: float) -> None:
        """Stop everything because the server ends. Blocks until all processes are gone."""
        self._succession.close(grace)

    @property
    def invocable(self) -> bool:
        """Whether invocations are taken: from the first InService until the deletion begins."""
        return bool(self.variants) and self.status != DELETING

    @property
    def variants(self) -> dict[str, Variant]:
        """The variants that serve, by name; none while the endpoint has never been in service."""
        return self._succession.serving.by_name

    def serving_variants(self) -> list[Variant]:
        """The variants that take traffic now."""
        return list(self.variants.values())

    def choose_variant(self, wanted: str | None) -> Variant:
        """The variant for one request: the one asked for, or one drawn by weight.

        Raises:
            AwsError: ValidationError when there is no such variant.
        """
        return self._succession.serving.choose(wanted, self.name)

    def acquire_instance(self, most: int) -> Instance | None:
        """A serving instance with room below `most` requests, the least busy first, with its place taken."""
        return self._succession.serving.acquire_instance(most)

    def _deploy(self, spec: EndpointSpec, counts: Mapping[str, int], weights: Mapping[str, float]) -> None:
        policy = self.policy
        try:
            self._hooks.deploying(self, spec)
            reason = self._alarms.objection(policy.alarms) if self.variants else ""
            reason = reason or self._succession.bring_up(self._variants_of(spec, weights), counts)
            if not reason and self.variants and policy.bakes:
                reason = self._bake(policy)
        except Exception as error:
            reason = str(error)
        if self._succession.ended.is_set():
            return
        if reason:
            self._abandon(reason)
            return
        with self._lock:
            if not self.baking:
                self._succession.shift()
            self.spec, self.pending, self.failure_reason, self.baking = spec, None, None, False
            self._set_status(IN_SERVICE)
        self._hooks.capacity(self)
        self._succession.settle(policy.termination_wait_seconds)

    def _variants_of(self, spec: EndpointSpec, weights: Mapping[str, float]) -> VariantSet:
        return VariantSet.of(
            spec, self._host, self.scope, self.name, weights, lambda: self._hooks.capacity(self)
        )

    def _bake(self, policy: DeploymentPolicy) -> str:
        """Let the new variants have the traffic for a while. Returns why they must not keep it, or an empty string."""
        with self._lock:
            self._succession.shift()
            self.baking = True
        self._hooks.capacity(self)
        seconds = self._host.clock.real(policy.baking_seconds)
        return self._alarms.watch(policy.alarms, seconds, self._succession.ended)

    def _abandon(self, reason: str) -> None:
        """Go back to what there was before, if anything was."""
        with self._lock:
            if self.baking:
                self._succession.shift_back()
            self.failure_reason, self.baking = reason, False
            self._set_status(ROLLING_BACK if self.variants else FAILED)
        self._hooks.capacity(self)
        self._succession.drop()
        with self._lock:
            self.pending = None
            if self.variants:
                self._set_status(IN_SERVICE)

    def _reweigh(self, counts: Mapping[str, int], weights: Mapping[str, float]) -> None:
        before = {name: self.variants[name].fleet.desired for name in counts}
        try:
            self._hooks.deploying(self, self.spec)
            self._succession.serving.scale(counts)
            reason = self._succession.serving.await_counts(counts)
        except Exception as error:
            reason = str(error)
        if reason:
            with self._lock:
                self.failure_reason = reason
                self._set_status(ROLLING_BACK)
            self._succession.serving.scale(before)
            self._succession.serving.await_counts(before)
        with self._lock:
            if not reason:
                self.failure_reason = None
                for name, weight in weights.items():
                    self.variants[name].weight = weight
            self._set_status(IN_SERVICE)
        self._hooks.capacity(self)

    def _delete(self) -> None:
        self._succession.close(grace=None)
        self._hooks.gone(self)

    def _require_settled(self) -> None:
        if self.status in _CHANGING:
            raise validation_exception(f'Cannot update in-progress endpoint "{self.arn}".')
        if self.status == FAILED:
            raise validation_exception(
                f'Cannot update failed endpoint "{self.arn}": delete it and create it again.'
            )

    def _set_status(self, status: str) -> None:
        self.status = status
        self.modified = Clock.now()
        self._hooks.changed(self)

    def _in_background(self, change: Callable[[], object]) -> None:
        threading.Thread(target=change, name=f"endpoint-{self.name}", daemon=True).start()
