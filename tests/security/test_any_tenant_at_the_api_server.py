"""Whatever a tenant asks of a real API server, what others have stays as it is, unread and unnamed, and their turn comes.

`test_any_tenant` tells the same of an operator in virtual time, in many more stories. Here is what that one has to take on trust:
the schemas and rules as the API server reads them, roles, the policy, server-side apply, garbage collection by owner, and the
operator as a process. Two kinds of tenant: one who may write statuses, too, and two with the chart's policy in their way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST
from builders.dangerous_words import OWN_NAME
from builders.machine_settings import machine_settings
from e2e.flight import REPOSITORY, Flight, Object, OperatorProcess, eventually
from e2e.live_objects import LiveObjects
from local_cluster.access import Cluster
from sagemaker_local.testing import LocalAws
from security.tenant_at_the_api_server import FORBIDDEN, MERGE, REFUSED, ApiTenant

CHART = REPOSITORY / "charts" / "avatar-operator" / "files"
TENANTS_NAMESPACE, VICTIMS = "meadow", ("harbour", "library")
CANARIES = {"harbour": "heron", "library": "linnet"}
FREE, ADMIN = "mallory", "mallet"
"""Who has a Role with `resources: ["*"]`, and who has the chart's role for admins."""
MOST_DEEDS = 8
MOST_DRAWS_OF_OTHERS = 2
FLOOD = 12
# A story with a real server is told once: what it found is printed, and shrinking it would tell others.
STORIES = settings(machine_settings(examples=3, steps=1), phases=[Phase.generate])


@dataclass
class Village:
    """A runtime with two who mind their own business, and whoever is impersonated.

    Attributes:
        flight: the hostile tenant's namespace, and the runtime of all.
        operator: a process.
        live: reads as the cluster's admin.
        before: what the victims had when nobody had done anything.
        written: all that tenants ever wrote: of that they learn nothing when they read it.
    """

    flight: Flight
    operator: OperatorProcess
    live: LiveObjects
    before: dict[str, Any]
    written: str = ""
    _read: int = 0

    def objects(self) -> list[Object]:
        """What the victims have in the cluster."""
        found = [
            self.live.find(kind.short_name, victim, "ann" if kind == AVATAR_MODEL else "cards")
            for victim in VICTIMS
            for kind in (AVATAR_MODEL, AVATAR_REQUEST)
        ]
        return [body for body in found if body is not None]

    def what_victims_have(self) -> dict[str, Any]:
        """Objects to the last field, Events, and what lies in S3, and since when."""
        had: dict[str, Any] = {body["metadata"]["uid"]: body for body in self.objects()}
        for victim in VICTIMS:
            had[victim] = {event["metadata"]["uid"]: event for event in self.live.events(victim)}
        pages = self.flight.s3.get_paginator("list_objects_v2").paginate(Bucket=self.flight.bucket)
        entries = [entry for page in pages for entry in page.get("Contents", ())]
        return had | {
            entry["Key"]: (entry["ETag"], entry["LastModified"])
            for entry in entries
            if any(f"/{victim}/" in entry["Key"] for victim in VICTIMS)
        }

    def until_quiet(self) -> None:
        """Wait until the operator has seen to everything that it can see to now."""

        def rest() -> tuple[float, float]:
            return (
                self.operator.metric("avatar_workqueue_depth")
                + self.operator.metric("avatar_workqueue_longest_running_seconds"),
                self.operator.metric("avatar_workqueue_adds_total"),
            )

        seen = [rest()]

        def is_quiet() -> bool:
            seen.append(rest())
            return seen[-1] == seen[-2] and seen[-1][0] == 0

        eventually(is_quiet, what="an operator with nothing to do")

    def assert_apart(self, tenants: Sequence[ApiTenant]) -> None:
        """Nothing of the victims' was read, changed or named, and nothing told to them."""
        uids = [body["metadata"]["uid"] for body in self.objects()]
        named = [*VICTIMS, *uids, *(uid.replace("-", "") for uid in uids)]
        assert [call for call in self.told_aws() if any(word in call for word in named)] == []
        now = self.what_victims_have()
        assert {key: (self.before.get(key), now.get(key)) for key in {*now, *self.before}} == {
            key: (self.before[key], self.before[key]) for key in self.before
        }
        told = [
            *tenants[0].own(AVATAR_MODEL),
            *tenants[0].own(AVATAR_REQUEST),
            *self.live.events(TENANTS_NAMESPACE),
        ]
        text = json.dumps(told)
        self.written += "".join(tenant.take_written() for tenant in tenants)
        assert [
            word for word in (*named, *CANARIES.values()) if word in text and word not in self.written
        ] == []
        assert {answer for tenant in tenants for answer in tenant.trespasses} <= {FORBIDDEN}
        alarms = [line for line in self.operator.log.read_text().splitlines() if '"level": "error"' in line]
        assert alarms == []

    def draw_late(self, tenant: ApiTenant, name: str) -> None:
        """One of the victims asks for a picture while the tenant asks for more than can be drawn."""
        flight, victim = self.flight, VICTIMS[0]
        for number in range(FLOOD):
            flood = flight.request_manifest(f"{OWN_NAME}-{name}-{number}", "ann")
            assert tenant.send("POST", AVATAR_REQUEST, body=flood)[0] < REFUSED
        late = _at(victim, flight.request_manifest(name, "ann"))
        late["spec"]["prompts"] = [{"prompt": "one", "numImages": 1}]
        self.told_aws()
        flight.apply(late)
        uid = eventually(lambda: self.live.find("avr", victim, name))["metadata"]["uid"]  # type: ignore[index]

        draws: list[str] = []

        def is_drawn() -> bool:
            draws.extend(call for call in self.told_aws() if call.startswith('["InvokeEndpoint"'))
            return any(uid in draw for draw in draws)

        eventually(is_drawn, what="the victim's picture")
        others = next(place for place, draw in enumerate(draws) if uid in draw)
        # One worker draws; what it was busy with when the request came was begun before.
        assert others <= MOST_DRAWS_OF_OTHERS

    def told_aws(self) -> list[str]:
        """What the operator has told AWS since this was asked last, each call as JSON."""
        lines = self.operator.told_aws.read_text().splitlines()
        new, self._read = lines[self._read :], len(lines)
        return new


def _at(namespace: str, manifest: Object) -> Object:
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


@pytest.fixture(scope="module")
def village(
    cluster: Cluster, aws: LocalAws, operator_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Village]:
    """Everybody has moved in, and nobody has done anything yet."""
    for namespace in (TENANTS_NAMESPACE, *VICTIMS):
        cluster.create_namespace(namespace)
    flight, live = Flight(cluster, TENANTS_NAMESPACE, aws), LiveObjects(cluster)
    everybody = {"allowedNamespaces": [TENANTS_NAMESPACE, *VICTIMS]}
    flight.upload_photos()
    manifests = [flight.runtime_manifest(tenancy=everybody), flight.model_manifest("ann")]
    for victim in VICTIMS:
        flight.sns.create_topic(Name=f"{flight.name}-status-{victim}")
        photos = f"photos/{victim}/ann/"
        for number in range(12):
            flight.s3.put_object(
                Bucket=flight.bucket, Key=f"{photos}{CANARIES[victim]}-{number}.jpg", Body=b"photo"
            )
        spec = {
            "photos": {"s3Prefix": f"s3://{flight.bucket}/{photos}"},
            "subject": {"token": CANARIES[victim]},
        }
        prompts = [{"prompt": f"{CANARIES[victim]} person", "numImages": 1}]
        model, request = (
            flight.model_manifest("ann"),
            flight.request_manifest("cards", "ann", prompts=prompts),
        )
        manifests += [_at(victim, {**model, "spec": model["spec"] | spec}), _at(victim, request)]
    operator = OperatorProcess(
        tmp_path_factory.mktemp("operator"), operator_kubeconfig, aws, AVATAR_OPERATOR_REQUEST_WORKERS="1"
    )
    operator.start()
    try:
        flight.apply(*_roles(), *manifests)
        flight.wait_for_state("avm", "ann", "Ready")
        village = Village(flight, operator, live, {})
        for victim in VICTIMS:
            eventually(partial(_is_done, live, victim), what="a victim's picture")
        yield village
    finally:
        operator.kill()
        live.close()
        flight.clean_up()


def _is_done(live: LiveObjects, victim: str) -> bool:
    body = live.find("avr", victim, "cards") or {}
    return bool(body.get("status", {}).get("state") == "Succeeded")


def _roles() -> list[Object]:
    group = "rbac.authorization.k8s.io"
    everything = {"apiGroups": ["avatars.dev"], "resources": ["*"], "verbs": ["*"]}

    def placed(name: str) -> Object:
        return {"name": name, "namespace": TENANTS_NAMESPACE}

    def binding(user: str, kind: str, role: str) -> Object:
        return {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": placed(user),
            "roleRef": {"apiGroup": group, "kind": kind, "name": role},
            "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
        }

    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": placed(FREE), "rules": [everything]}
    roles = list(yaml.safe_load_all((CHART / "user-roles.yaml").read_text()))
    return [*roles, role, binding(FREE, "Role", FREE), binding(ADMIN, "ClusterRole", "avatars-admin")]


@pytest.fixture(scope="module")
def policy(village: Village) -> Iterator[None]:
    """The chart's policy, in force until the module ends."""
    flight = village.flight
    flight.cluster.apply(CHART / "status-policy.yaml")
    status, canary = {"status": {"state": "Ready"}}, f"{OWN_NAME}-canary"
    flight.apply(flight.model_manifest(canary, suspend=True))
    with closing(_tenant(village, FREE)) as tenant:

        def is_refused() -> bool:
            return (
                tenant.send("PATCH", AVATAR_MODEL, canary, status, part="status", form=MERGE, dryRun="All")[0]
                == FORBIDDEN
            )

        eventually(is_refused, what="the policy in force")
        yield
        flight.apply(flight.model_manifest(canary, suspend=True))
        flight.cluster.kubectl("delete", "validatingadmissionpolicybinding", "avatar-operator-status")
        eventually(lambda: not is_refused(), what="the end of the policy")


def _tenant(village: Village, user: str) -> ApiTenant:
    return ApiTenant(village.flight.cluster, village.flight, VICTIMS, village.objects(), user)


def _tell_stories(village: Village, name: str, *tenants: ApiTenant) -> None:
    village.until_quiet()
    village.before = village.what_victims_have()
    village.told_aws()

    @STORIES
    @given(data=st.data(), tenant=st.sampled_from(tenants), deeds=st.integers(4, MOST_DEEDS))
    def story(data: st.DataObject, tenant: ApiTenant, deeds: int) -> None:
        for _ in range(deeds):
            tenant.act(data)
        village.until_quiet()
        village.assert_apart(tenants)

    story()
    village.draw_late(tenants[0], name)


def test_who_may_write_statuses_reaches_nothing_of_others(village: Village) -> None:
    with closing(_tenant(village, FREE)) as tenant:
        _tell_stories(village, "late", tenant)
        # Not everything that it tried was refused.
        assert min(tenant.statuses_written) < REFUSED


def test_where_the_policy_is_nobody_writes_a_status_or_takes_the_finalizer(
    village: Village, policy: None
) -> None:
    with closing(_tenant(village, FREE)) as free, closing(_tenant(village, ADMIN)) as admin:
        _tell_stories(village, "later", free, admin)
        assert min(free.statuses_written + admin.statuses_written) >= REFUSED
