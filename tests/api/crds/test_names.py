"""Names that others refer to: judged when an object is created, never afterwards."""

import time
from collections.abc import Callable, Iterator
from typing import cast

import pytest
import yaml

from avatar_api.crd import DEFINITIONS
from avatar_api.group import AVATAR_MODEL
from builders.api_objects import ApiObjects, Refused
from builders.manifests import Manifest, model_manifest, request_manifest, runtime_manifest
from local_cluster.access import Cluster
from local_cluster.errors import LocalClusterError

SENTENCE = (
    "a name is at most 63 lowercase letters, digits and dashes, with a letter or a digit at both ends: ann-2"
)
BAD = ["ann.smith", "sd-1.5", "a" * 64]


@pytest.mark.parametrize("name", BAD)
def test_a_model_that_no_request_could_name_is_refused(api: ApiObjects, tenant: str, name: str) -> None:
    with pytest.raises(Refused) as refused:
        api.create(model_manifest(name=name, namespace=tenant), dry_run=True)

    assert str(refused.value).endswith(f'metadata.name: Invalid value: "object": {SENTENCE}')


@pytest.mark.parametrize("name", BAD)
def test_a_runtime_that_no_model_could_name_is_refused(api: ApiObjects, name: str) -> None:
    with pytest.raises(Refused) as refused:
        api.create(runtime_manifest(name=name), dry_run=True)

    assert SENTENCE in str(refused.value)


@pytest.mark.parametrize("name", ["a", "ann-2", "2-ann", "a" * 63])
def test_a_model_that_a_request_can_name_is_accepted(api: ApiObjects, tenant: str, name: str) -> None:
    api.create(model_manifest(name=name, namespace=tenant), dry_run=True)
    api.create(
        request_manifest(namespace=tenant, spec={"modelRef": {"name": name}}),
        dry_run=True,
    )


@pytest.mark.parametrize("name", ["portraits.of.ann", "r" * 253])
def test_nobody_refers_to_a_request_so_that_its_name_is_free(api: ApiObjects, tenant: str, name: str) -> None:
    api.create(request_manifest(name=name, namespace=tenant), dry_run=True)


class OldNames:
    """A kind like AvatarModel in a group of its own, which nobody else sees, with an object older than the rule."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._group = f"{namespace}.example.com"
        self._namespace = namespace
        definition = next(one for one in DEFINITIONS if one.kind is AVATAR_MODEL).to_wire()
        definition["metadata"]["name"] = f"avatarmodels.{self._group}"
        definition["spec"]["group"] = self._group
        definition["spec"]["names"].pop("shortNames")
        definition["spec"]["names"].pop("categories")
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        rules = schema.pop("x-kubernetes-validations")
        cluster.apply_manifest(yaml.safe_dump(definition))
        _until(lambda: self.create("ann.smith"))
        schema["x-kubernetes-validations"] = rules
        cluster.apply_manifest(yaml.safe_dump(definition))
        _until(lambda: not self.create("bob.smith", "--dry-run=server"))

    def create(self, name: str, *options: str) -> bool:
        """Whether a model of that name was taken."""
        manifest = model_manifest(name=name, namespace=self._namespace)
        manifest["apiVersion"] = f"{self._group}/v1alpha1"
        try:
            self._cluster.kubectl("create", "--filename=-", *options, standard_input=yaml.safe_dump(manifest))
        except LocalClusterError:
            return False
        return True

    def patch(self, patch: str, *options: str) -> None:
        """Change the object that is older than the rule."""
        self._kubectl("patch", "--type=merge", f"--patch={patch}", *options)

    def read(self) -> Manifest:
        """The object that is older than the rule."""
        return cast(Manifest, yaml.safe_load(self._kubectl("get", "--output=yaml")))

    def delete(self) -> None:
        """Ask for its deletion."""
        self._kubectl("delete", "--wait=false")

    def is_gone(self) -> bool:
        """Whether it has gone."""
        return self._kubectl("get", "--ignore-not-found", "--output=name") == ""

    def close(self) -> None:
        """Take the kind away."""
        self._cluster.kubectl("delete", "crd", f"avatarmodels.{self._group}", "--wait=false")

    def _kubectl(self, verb: str, *options: str) -> str:
        return self._cluster.kubectl(
            verb, f"avatarmodels.{self._group}", "ann.smith", f"--namespace={self._namespace}", *options
        )


@pytest.fixture
def old_names(installed: Cluster, namespace: str) -> Iterator[OldNames]:
    """A model `ann.smith` that was created before names were judged."""
    names = OldNames(installed, namespace)
    yield names
    names.close()


def test_a_model_of_an_old_name_can_be_updated_and_goes_when_it_is_deleted(old_names: OldNames) -> None:
    old_names.patch('{"spec": {"suspend": true}, "metadata": {"finalizers": ["avatars.dev/cleanup"]}}')
    old_names.patch('{"status": {"observedGeneration": 2}}', "--subresource=status")
    assert old_names.read()["spec"]["suspend"] is True
    assert old_names.read()["status"]["observedGeneration"] == 2

    old_names.delete()
    assert not old_names.is_gone()
    old_names.patch('{"metadata": {"finalizers": null}}')

    assert old_names.is_gone()


def _until(holds: Callable[[], bool]) -> None:
    """Wait for the API server, which takes a moment to serve what a CRD says."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "the API server does not serve what the CRD says"
        time.sleep(0.1)
