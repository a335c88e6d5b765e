"""What the examples say of quotas is what the API server takes, counts and refuses."""

import json
import uuid
from pathlib import Path

import pytest
import yaml

from builders.api_objects import ApiObjects, Refused
from builders.manifests import merged, model_manifest, runtime_manifest
from local_cluster.access import Cluster

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "02-several-tenants"


def test_the_quotas_of_the_example_are_taken_by_the_api_server(api: ApiObjects) -> None:
    change = yaml.safe_load((EXAMPLES / "runtime-quotas.yaml").read_text())

    taken = api.create(merged(runtime_manifest(), change), dry_run=True)

    assert taken["spec"]["quotas"] == change["spec"]["quotas"]


def test_a_resource_quota_counts_objects_of_ours_and_refuses_one_too_many(
    installed: Cluster, api: ApiObjects
) -> None:
    quota = yaml.safe_load((EXAMPLES / "resource-quota.yaml").read_text())
    hard = {**quota["spec"]["hard"], "count/avatarmodels.avatars.dev": "1"}
    quota["spec"]["hard"] = hard
    namespace = f"test-{uuid.uuid4().hex[:12]}"
    installed.create_namespace(namespace)
    try:
        installed.apply_manifest(yaml.safe_dump(quota), namespace=namespace)
        # What is used the controller-manager would say, which this cluster has not.
        status = {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
        scope = f"--namespace={namespace}"
        patch = ("--subresource=status", "--type=merge", f"--patch={json.dumps(status)}")
        installed.kubectl("patch", "resourcequota", "avatars", scope, *patch)
        api.create(model_manifest(name="first", namespace=namespace))

        with pytest.raises(Refused, match=r"exceeded quota: avatars.*count/avatarmodels\.avatars\.dev=1"):
            api.create(model_manifest(name="second", namespace=namespace))
    finally:
        installed.delete_namespace(namespace)
