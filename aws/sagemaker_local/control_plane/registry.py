"""All endpoints of all accounts and regions."""

from __future__ import annotations

import threading

from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.errors import AwsError, validation_exception

MAX_ENDPOINTS = 500


class EndpointRegistry:
    """Endpoints by account, region and name.

    Two names that differ only in case cannot both exist, but an invocation must use the case that the endpoint was created
    with (CreateEndpoint in the API reference).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[tuple[str, str, str], Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Take an endpoint in.

        Raises:
            AwsError: ValidationException when its name is taken; ResourceLimitExceeded when there are too many.
        """
        with self._lock:
            key = _key(endpoint.scope, endpoint.name)
            if key in self._endpoints:
                raise validation_exception(f'Cannot create already existing endpoint "{endpoint.arn}".')
            if len(self._endpoints) >= MAX_ENDPOINTS:
                raise AwsError(
                    "ResourceLimitExceeded", f"sagemaker-local holds at most {MAX_ENDPOINTS} endpoints"
                )
            self._endpoints[key] = endpoint

    def find(self, scope: Scope, name: str) -> Endpoint | None:
        with self._lock:
            return self._endpoints.get(_key(scope, name))

    def get(self, scope: Scope, name: str) -> Endpoint:
        """The endpoint. Raises ValidationException in the control plane's words when there is none."""
        endpoint = self.find(scope, name)
        if endpoint is None:
            raise validation_exception(
                f'Could not find endpoint "{scope.arn("sagemaker", f"endpoint/{name}")}".'
            )
        return endpoint

    def remove(self, endpoint: Endpoint) -> None:
        with self._lock:
            self._endpoints.pop(_key(endpoint.scope, endpoint.name), None)

    def all(self) -> list[Endpoint]:
        with self._lock:
            return list(self._endpoints.values())


def _key(scope: Scope, name: str) -> tuple[str, str, str]:
    return scope.account, scope.region, name.lower()
