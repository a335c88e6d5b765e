"""What the API server takes and refuses of an AvatarRequest, and in which words."""

import pytest

from builders.api_objects import ApiObjects, Refused
from builders.manifests import Changes, Manifest, covers, request_manifest

PROMPT = {"prompt": "a photo of sks person"}

ACCEPTED: dict[str, Changes] = {
    "one prompt": {"prompts": [PROMPT]},
    "sixty-four prompts": {"prompts": [PROMPT] * 64},
    "sixty-four pictures of four prompts": {"prompts": [{**PROMPT, "numImages": 16}] * 4},
    "the longest prompts": {"prompts": [{"prompt": "x" * 2000, "negativePrompt": "y" * 2000}]},
    "the least": {
        "steps": 1,
        "guidance": "0",
        "width": 64,
        "height": 64,
        "scheduler": "DDIM",
        "ttlSecondsAfterFinished": 0,
        "queueDeadlineSeconds": 1,
        "activeDeadlineSeconds": 1,
    },
    "the most": {
        "steps": 150,
        "guidance": "50",
        "width": 2048,
        "height": 2048,
        "scheduler": "UniPCMultistep",
        "ttlSecondsAfterFinished": 31536000,
        "queueDeadlineSeconds": 604800,
        "activeDeadlineSeconds": 86400,
    },
    "an output of its own": {"output": {"prefix": "s3://albums/team-a/"}},
    "pictures that stay": {"deletionPolicy": "Retain"},
}

REFUSED: dict[str, tuple[Changes, str]] = {
    "no model": ({"modelRef": None}, "spec.modelRef: Required value"),
    "a model in another namespace": (
        {"modelRef": {"name": "team-b/ann"}},
        'spec.modelRef.name: Invalid value: "string": a name is at most 63 lowercase letters',
    ),
    "no prompts": ({"prompts": None}, "spec.prompts: Required value"),
    "an empty list of prompts": ({"prompts": []}, "should have at least 1 items"),
    "too many prompts": ({"prompts": [PROMPT] * 65}, "must have at most 64 items"),
    "an empty prompt": ({"prompts": [{"prompt": ""}]}, "should be at least 1 chars long"),
    "a prompt without words": ({"prompts": [{"seed": 1}]}, "spec.prompts[0].prompt: Required value"),
    "too long a prompt": ({"prompts": [{"prompt": "x" * 2001}]}, "may not be more than 2000"),
    "too long a negative prompt": (
        {"prompts": [{**PROMPT, "negativePrompt": "x" * 2001}]},
        "may not be more than 2000",
    ),
    "a prompt for no picture": ({"prompts": [{**PROMPT, "numImages": 0}]}, "spec.prompts[0].numImages"),
    "a prompt for too many pictures": (
        {"prompts": [{**PROMPT, "numImages": 17}]},
        "spec.prompts[0].numImages",
    ),
    "a seed beyond 32 bits": ({"prompts": [{**PROMPT, "seed": 4294967296}]}, "spec.prompts[0].seed"),
    "too many pictures in sum": (
        {"prompts": [{**PROMPT, "numImages": 13}] * 5},
        "an AvatarRequest draws at most 64 pictures: split it into several requests",
    ),
    "no step": ({"steps": 0}, "spec.steps"),
    "too many steps": ({"steps": 151}, "spec.steps"),
    "too much guidance": ({"guidance": "50.5"}, "guidance must be at most 50"),
    "guidance that is a number": ({"guidance": 7.5}, "must be of type string"),
    "negative guidance": (
        {"guidance": "-1"},
        'guidance is a decimal number in quotes, such as "7.5"',
    ),
    "guidance in words": ({"guidance": "high"}, 'guidance is a decimal number in quotes, such as "7.5"'),
    "a width that the VAE cannot divide": ({"width": 500}, "should be a multiple of 8"),
    "too wide a picture": ({"width": 2056}, "spec.width"),
    "too low a picture": ({"height": 56}, "spec.height"),
    "an unknown scheduler": ({"scheduler": "Euler"}, "Unsupported value"),
    "an output that is no prefix": (
        {"output": {"prefix": "s3://albums/team-a"}},
        "name an S3 prefix, with a slash at the end",
    ),
    "an output that says nothing": ({"output": {}}, "spec.output.prefix: Required value"),
    "a negative time to live": ({"ttlSecondsAfterFinished": -1}, "spec.ttlSecondsAfterFinished"),
    "too long a time to live": ({"ttlSecondsAfterFinished": 31536001}, "spec.ttlSecondsAfterFinished"),
    "no time in the queue": ({"queueDeadlineSeconds": 0}, "spec.queueDeadlineSeconds"),
    "too much time in the queue": ({"queueDeadlineSeconds": 604801}, "spec.queueDeadlineSeconds"),
    "no time at all": ({"activeDeadlineSeconds": 0}, "spec.activeDeadlineSeconds"),
    "too much time": ({"activeDeadlineSeconds": 86401}, "spec.activeDeadlineSeconds"),
    "an unknown deletion policy": ({"deletionPolicy": "Keep"}, 'supported values: "Delete", "Retain"'),
}


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_request_is_accepted_with(api: ApiObjects, tenant: str, spec: Changes) -> None:
    accepted = api.create(request_manifest(namespace=tenant, spec=spec), dry_run=True)["spec"]

    assert covers(accepted, {name: value for name, value in spec.items() if name != "prompts"})


@pytest.mark.parametrize(("spec", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_a_request_is_refused_with(api: ApiObjects, tenant: str, spec: Changes, why: str) -> None:
    with pytest.raises(Refused) as refused:
        api.create(request_manifest(namespace=tenant, spec=spec), dry_run=True)

    assert why in str(refused.value)


def test_a_request_gets_the_defaults_of_what_it_does_not_say(api: ApiObjects, tenant: str) -> None:
    manifest = request_manifest(namespace=tenant, spec={"prompts": [PROMPT]})

    assert api.create(manifest, dry_run=True)["spec"] == {
        "modelRef": {"name": "ann"},
        "prompts": [{**PROMPT, "numImages": 1}],
        "deletionPolicy": "Delete",
    }


@pytest.fixture
def request_object(api: ApiObjects, namespace: str) -> Manifest:
    """A request that stands in the API server."""
    manifest = request_manifest(namespace=namespace)
    api.create(manifest)
    return manifest


CHANGED: dict[str, Changes] = {
    "model": {"modelRef": {"name": "bob"}},
    "prompts": {"prompts": [PROMPT]},
    "steps": {"steps": 20},
    "guidance": {"guidance": "5"},
    "width": {"width": 256},
    "height": {"height": 256},
    "scheduler": {"scheduler": "DDIM"},
    "output": {"output": {"prefix": "s3://albums/team-a/"}},
    "queue deadline": {"queueDeadlineSeconds": 60},
    "active deadline": {"activeDeadlineSeconds": 60},
}


@pytest.mark.parametrize("spec", CHANGED.values(), ids=CHANGED.keys())
def test_what_a_request_draws_never_changes(api: ApiObjects, request_object: Manifest, spec: Changes) -> None:
    with pytest.raises(Refused, match="an AvatarRequest is immutable, but for deletionPolicy and"):
        api.change(request_object, {"spec": spec}, dry_run=True)


def test_what_a_request_says_is_not_taken_away(api: ApiObjects, namespace: str) -> None:
    manifest = request_manifest(name="slow", namespace=namespace, spec={"steps": 50})
    api.create(manifest)

    with pytest.raises(Refused, match="an AvatarRequest is immutable"):
        api.change(manifest, {"spec": {"steps": None}}, dry_run=True)


@pytest.mark.parametrize(
    "spec",
    [{"deletionPolicy": "Retain"}, {"ttlSecondsAfterFinished": 60}],
    ids=["deletion policy", "time to live"],
)
def test_how_long_a_request_is_kept_may_change(
    api: ApiObjects, request_object: Manifest, spec: Changes
) -> None:
    assert covers(api.change(request_object, {"spec": spec}, dry_run=True)["spec"], spec)


def test_labels_of_a_request_may_change(api: ApiObjects, request_object: Manifest) -> None:
    changed = api.change(request_object, {"metadata": {"labels": {"team": "a"}}}, dry_run=True)

    assert changed["metadata"]["labels"] == {"team": "a"}
