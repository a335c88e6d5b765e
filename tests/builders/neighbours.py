"""Three tenants of one runtime, a whole operator in virtual time, and AWS's edge recorded: two who mind their own business,
and a third of whom a test makes what it likes.

Each of the two has a model that is trained, one in training that goes on for longer than a story, a request that is
finished and one that is running. What they keep carries words that nobody else can know (`CANARIES`), so that whoever says
one has read it. Their uids, and with them every key that is theirs, are the same in every story.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.s3 import S3Storage
from avatar_operator.backends.selection import Backend, Backends
from builders.honest_workers import LONG_TRAINING, Hints, HonestWorkers, SteadyCompute
from builders.manifests import Manifest, model_manifest, request_manifest, runtime_manifest
from builders.recording_aws import RecordingAws
from builders.whole_operator import LoopClock, Replica, Surroundings, until

NEIGHBOURS = ("team-b", "team-c")
CANARIES = {"team-b": "bluebird", "team-c": "cormorant"}
"""Words in photos' names, prompts, results and failures of each: known to nobody else."""
TRAINED, IN_TRAINING = "bella", LONG_TRAINING
FINISHED, RUNNING = "postcards", "portraits"
A_DAY = 86_400
RUNTIME = {
    "limits": {"inference": {"queueDeadlineSeconds": A_DAY, "activeDeadlineSeconds": A_DAY}},
    "garbageCollection": {"orphans": "Delete", "gracePeriodSeconds": 60},
}
"""Patient, and it removes what has lost its owner."""


def uid_of(namespace: str, name: str) -> str:
    """The uid of a neighbour's object."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.{namespace}"))


@dataclass
class Neighbourhood:
    """One runtime and its tenants.

    Attributes:
        around: what the operator has around it.
        aws: what it asks, and what lies there.
        workers: train and draw.
        replica: the operator.
    """

    around: Surroundings
    aws: RecordingAws
    workers: HonestWorkers
    replica: Replica

    def upload_photos(self, namespace: str, model: str, word: str) -> None:
        """Twelve photos, in whose names and content there is a word."""
        for number in range(12):
            self.aws.store(
                f"s3://photos/{namespace}/{model}/{word}-{number:02}.jpg", f"{word} {number}".encode()
            )

    def model(self, namespace: str, name: str) -> Manifest:
        """A neighbour's model."""
        self.upload_photos(namespace, name, CANARIES[namespace])
        return model_manifest(
            namespace=namespace, name=name, spec={"subject": {"token": CANARIES[namespace]}}
        )

    def request(self, namespace: str, name: str, pictures: int) -> Manifest:
        """A neighbour's request, with the trained model."""
        prompts = [{"prompt": f"{CANARIES[namespace]} person {name}", "numImages": pictures, "seed": 7}]
        return request_manifest(
            namespace=namespace, name=name, spec={"modelRef": {"name": TRAINED}, "prompts": prompts}
        )

    def create(self, kind: Kind, manifest: Manifest) -> None:
        """Create a neighbour's object."""
        metadata = manifest["metadata"]
        self.around.kube.create(kind, manifest, uid=uid_of(metadata["namespace"], metadata["name"]))

    def state(self, kind: Kind, namespace: str, name: str) -> str | None:
        """The word in the column."""
        state: str | None = (
            self.around.kube.read(kind, name, namespace=namespace).get("status", {}).get("state")
        )
        return state

    async def until_state(
        self, kind: Kind, name: str, state: str, *, within: float, namespaces: tuple[str, ...] = NEIGHBOURS
    ) -> None:
        """Wait until an object of every neighbour has come so far."""
        await until(
            lambda: all(self.state(kind, namespace, name) == state for namespace in namespaces), within=within
        )

    async def move_in(self) -> None:
        """Everything that the neighbours have."""
        for namespace in NEIGHBOURS:
            self.create(AVATAR_MODEL, self.model(namespace, TRAINED))
            self.create(AVATAR_MODEL, self.model(namespace, IN_TRAINING))
            self.create(AVATAR_REQUEST, self.request(namespace, FINISHED, 1))
        await self.until_state(AVATAR_REQUEST, FINISHED, "Succeeded", within=60)
        for namespace in NEIGHBOURS:
            self.create(AVATAR_REQUEST, self.request(namespace, RUNNING, 12))
        await self.until_state(AVATAR_REQUEST, RUNNING, "Running", within=60)


@asynccontextmanager
async def a_neighbourhood() -> AsyncIterator[Neighbourhood]:
    """A runtime with two tenants who have moved in, and one operator that leads."""
    clock = LoopClock()
    aws, hints = RecordingAws(clock), Hints()
    workers = HonestWorkers(aws, hints)
    aws.workers = workers
    storage = S3Storage(cast(AwsClients, aws), clock)
    around = Surroundings(Backends({"sagemaker": Backend(storage, SteadyCompute(aws, hints))}), clock)
    async with around.with_replicas(1) as replicas:
        around.kube.create(AVATAR_RUNTIME, runtime_manifest(spec=RUNTIME), uid=uid_of("", "standard"))
        neighbourhood = Neighbourhood(around, aws, workers, replicas[0])
        await neighbourhood.move_in()
        yield neighbourhood
