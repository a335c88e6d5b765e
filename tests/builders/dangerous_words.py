"""What is worth trying in any field: everything that somebody who knows its neighbours' names and uids can spell.

How keys, target models and inference ids are made is no secret, and uids are in every manifest that somebody shows around.
"""

from collections.abc import Sequence

from avatar_operator.names import inference_id
from builders.neighbours import FINISHED, IN_TRAINING, NEIGHBOURS, RUNNING, TRAINED, uid_of

OWN_NAME = "mallory"
"""Stands in the name of each object of whoever tries, and of nobody else's."""
PLAIN = ("1", "0", "999999.99999999", "-", "a" * 64, "0" * 64, "sks", "person", "Queued", "USD", "w" * 256)
CONDITIONS = (
    "Accepted",
    "Hosted",
    "ModelResolved",
    "Ready",
    "Reconciling",
    "Stalled",
    "Succeeded",
    "Trained",
)


def dangerous_words(namespace: str, uids: Sequence[str]) -> list[str]:
    """Words for any field that takes a string.

    Args:
        namespace: of whoever tries.
        uids: of its own objects.
    """
    words = [*PLAIN, *CONDITIONS, OWN_NAME, "standard", "{namespace}", ".."]
    for owner, uid in [*((namespace, uid) for uid in uids), *neighbours_uids()]:
        words += [uid, *_keys(owner, uid)]
    for neighbour in NEIGHBOURS:
        words += [neighbour, *_prefixes(neighbour, namespace)]
    return [*words, TRAINED, IN_TRAINING, FINISHED, RUNNING, *_prefixes(namespace, namespace)]


def neighbours_uids() -> list[tuple[str, str]]:
    """Namespace and uid of everything that the neighbours have."""
    names = (TRAINED, IN_TRAINING, FINISHED, RUNNING)
    return [(neighbour, uid_of(neighbour, name)) for neighbour in NEIGHBOURS for name in names]


def _keys(namespace: str, uid: str) -> list[str]:
    """Everything that is derived of an object, right and wrong."""
    attempt, directory = inference_id(uid, 1, 1), f"{namespace}/{uid}/"
    return [
        attempt,
        f"{directory}r1-a1.tar.gz",
        f"s3://models/artifacts/{directory}r1-a1.tar.gz",
        f"s3://models/requests/{directory}r1-a1/request.json",
        f"s3://models/requests/output/{directory}{attempt}/{attempt}.out",
        f"s3://models/artifacts/{directory}",
        f"s3://pictures/{directory}",
    ]


def _prefixes(namespace: str, own: str) -> list[str]:
    """Prefixes above what a tenant has, and ways to them."""
    return [
        f"s3://photos/{namespace}/",
        f"s3://photos/{namespace}/{TRAINED}/",
        f"s3://photos/{namespace}/{TRAINED}/01.jpg",
        f"s3://albums/{namespace}/",
        f"s3://pictures/{namespace}/",
        f"s3://photos/{own}/../{namespace}/",
        f"s3://photos/{own}/%2e%2e/{namespace}/x.jpg",
        f"s3://albums/{own}//{namespace}/",
        f"s3://albums/{{namespace}}/{namespace}/",
        "s3://models/requests/",
        "s3://models/requests/output/",
        "s3://models/artifacts/",
        "s3://pictures/",
        "s3://models/",
        "s3://elsewhere/",
    ]
