"""A ServiceAccount at the API server: what that says it may do, and what it answers when it is done all the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kubernetes import client, config

from local_cluster.access import Cluster
from local_cluster.rights import Grant, Use, granted

Object = dict[str, Any]
_VERSIONS = {"avatars.dev": "v1alpha1"}
_METHODS = {
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}


class Answer(NamedTuple):
    """What the API server answered.

    Attributes:
        status: of HTTP.
        document: the object that was asked for, or what was wrong.
    """

    status: int
    document: Object


def roles_and_bindings(cluster: Cluster) -> list[Object]:
    """Every role and every binding of a cluster."""
    kinds = "clusterroles,roles,clusterrolebindings,rolebindings"
    found: list[Object] = json.loads(cluster.kubectl("get", kinds, "--all-namespaces", "--output=json"))[
        "items"
    ]
    return found


class ServiceAccountAtWork:
    """Whoever has a ServiceAccount's token.

    Args:
        kubeconfig: with the token.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self._client: Any = config.new_client_from_config(config_file=str(kubeconfig))  # type: ignore[no-untyped-call]
        self._reviews: Any = client.AuthorizationV1Api(self._client)

    def may(self, use: Use) -> bool:
        """Ask for a SelfSubjectAccessReview."""
        resource, _, subresource = use.resource.partition("/")
        asked: Object = {
            "resourceAttributes": {
                "verb": use.verb,
                "group": use.group,
                "resource": resource,
                "subresource": subresource,
                "namespace": use.namespace,
                "name": use.name,
            }
        }
        if use.url:
            asked = {"nonResourceAttributes": {"verb": use.verb, "path": use.url}}
        return bool(self._reviews.create_self_subject_access_review({"spec": asked}).status.allowed)

    def grants_in(self, namespace: str) -> frozenset[Grant]:
        """Ask for a SelfSubjectRulesReview: all that it may do in a namespace."""
        question = Use("create", "authorization.k8s.io", "selfsubjectrulesreviews")
        status = self.do(question, {"spec": {"namespace": namespace}}).document["status"]
        assert not status["incomplete"], status
        return granted([*status["resourceRules"], *status["nonResourceRules"]])

    def do(self, use: Use, body: Object | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Do it.

        Args:
            use: what.
            body: what is to be written.
            headers: besides those that such a request has.
        """
        form = "application/merge-patch+json" if use.verb == "patch" else "application/json"
        request = self._client.param_serialize(
            _METHODS.get(use.verb, "GET"),
            _path(use),
            query_params=[("watch", "true"), ("timeoutSeconds", "1")] if use.verb == "watch" else [],
            header_params={"Accept": "application/json", "Content-Type": form, **(headers or {})},
            body=body if body is not None or use.verb not in _METHODS else {},
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request)
        return Answer(response.status, json.loads(response.read()))


def _path(use: Use) -> str:
    if use.url:
        return use.url
    resource, _, subresource = use.resource.partition("/")
    root = f"/apis/{use.group}/{_VERSIONS.get(use.group, 'v1')}" if use.group else "/api/v1"
    place = f"namespaces/{use.namespace}" if use.namespace and resource != "namespaces" else ""
    return "/".join(filter(None, (root, place, resource, use.name, subresource)))
