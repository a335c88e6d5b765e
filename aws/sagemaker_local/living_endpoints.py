"""The endpoints of this server, from one run of it to the next.

An endpoint lives by itself (control_plane/endpoint.py). What its life means for the rest is here: the queue of its asynchronous
invocations is served, moto's ListEndpoints and the state directory tell its present status, a start takes up those of an earlier
run, and the end of the server, or a reset of moto's records, ends them all.
"""

from __future__ import annotations

from functools import partial

from sagemaker_local import moto_bridge
from sagemaker_local.async_inference.data_plane import AsyncDataPlane
from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.endpoint import DELETING, UPDATING, Endpoint, EndpointHooks
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.persistence.saved_state import SavedState
from sagemaker_local.side_by_side import side_by_side

SHUTDOWN_GRACE_SECONDS = 5.0


class LivingEndpoints:
    """Follows the life of every endpoint.

    Attributes:
        hooks: what each endpoint is made with, so that it is followed.
    """

    def __init__(
        self, registry: EndpointRegistry, host: InstanceHost, asynchronous: AsyncDataPlane, state: SavedState
    ) -> None:
        self._registry = registry
        self._host = host
        self._asynchronous = asynchronous
        self._state = state
        self.hooks = EndpointHooks(
            deploying=asynchronous.announce,
            changed=self._changed,
            capacity=asynchronous.dispatch,
            gone=self._forget,
        )

    def restore(self) -> None:
        """Take up the endpoints of an earlier run, and what they had accepted. Returns at once."""
        if not self._state.kept:
            return
        for record in self._state.endpoints.load():
            endpoint = Endpoint(self._host, self.hooks, record.scope, record.name, record.spec, record.policy)
            if record.status == DELETING or not moto_bridge.has_endpoint(record.scope, record.name):
                self._state.endpoints.remove(endpoint)
                continue
            endpoint.created = record.created
            self._registry.add(endpoint)
            endpoint.restore(record.status, record.counts, record.weights, record.failure_reason)
            self._asynchronous.restore(endpoint)
            if record.status == UPDATING and record.pending is not None:
                endpoint.update(
                    record.pending, retain_counts=False, retain_weights=False, policy=record.policy
                )
        living = {(each.scope.account, each.scope.region, each.name) for each in self._registry.all()}
        for account, region, name in moto_bridge.stored_endpoints():
            if (account, region, name) not in living:
                moto_bridge.drop_endpoint(Scope(account, region, ""), name)

    def end_all(self) -> None:
        """Stop all instances and forget their endpoints. Blocks."""
        endpoints = self._registry.all()
        side_by_side((partial(each.close, SHUTDOWN_GRACE_SECONDS) for each in endpoints), "close-endpoint")
        for endpoint in endpoints:
            self._forget(endpoint)

    def _forget(self, endpoint: Endpoint) -> None:
        self._asynchronous.forget(endpoint)
        moto_bridge.drop_endpoint(endpoint.scope, endpoint.name)
        self._state.endpoints.remove(endpoint)
        self._state.touch("sagemaker")
        self._registry.remove(endpoint)

    def _changed(self, endpoint: Endpoint) -> None:
        """Let moto's ListEndpoints, and the next run of the server, tell what an endpoint's life cycle says."""
        moto_bridge.mirror_endpoint(
            endpoint.scope,
            endpoint.name,
            endpoint.status,
            endpoint.spec.config_name,
            endpoint.failure_reason,
            endpoint.modified,
        )
        self._state.endpoints.save(endpoint)
        self._state.touch("sagemaker")
