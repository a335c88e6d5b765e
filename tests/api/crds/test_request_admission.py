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
        "activeDeadlineSeconds": 1,
    },
    "the most": {
        "steps": 150,
        "guidance": "50",
        "width": 2048,
        "height": 2048,
        "scheduler": "UniPCMultistep",
        "ttlSecondsAfterFinished": 31536000,
        "activeDeadlineSeconds": 86400,
    },
    "an output of its own": {"output": {"prefix": "s3://albums/team-a/"}},
    "pictures that stay": {"deletionPolicy": "Retain"},
}

REFUSED: dict[str, tuple[Changes, str]] = {
    "no model": ({"modelRef": None}, "spec.modelRef: Required value"),
    "a model in another namespace": ({"modelRef": {"name": "team-b/ann"}}, "spec.modelRef.name"),
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
    "negative guidance": ({"guidance": "-1"}, "spec.guidance"),
    "a width that the VAE cannot divide": ({"width": 500}, "should be a multiple of 8"),
    "too wide a picture": ({"width": 2056}, "spec.width"),
    "too low a picture": ({"height": 56}, "spec.height"),
    "an unknown scheduler": ({"scheduler": "Euler"}, "Unsupported value"),
    "an output that is no prefix": ({"output": {"prefix": "s3://albums/team-a"}}, "spec.output.prefix"),
    "an output that says nothing": ({"output": {}}, "spec.output.prefix: Required value"),
    "a negative time to live": ({"ttlSecondsAfterFinished": -1}, "spec.ttlSecondsAfterFinished"),
    "too long a time to live": ({"ttlSecondsAfterFinished": 31536001}, "spec.ttlSecondsAfterFinished"),
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


@pytest.mark.parametrize(
    "spec",
    [
        {"modelRef": {"name": "bob"}},
        {"prompts": [PROMPT]},
        {"steps": 20},
        {"deletionPolicy": "Retain"},
        {"ttlSecondsAfterFinished": 60},
    ],
    ids=["model", "prompts", "steps", "deletion policy", "time to live"],
)
def test_a_request_never_changes(api: ApiObjects, request_object: Manifest, spec: Changes) -> None:
    with pytest.raises(Refused, match="an AvatarRequest is immutable: create another one to draw again"):
        api.change(request_object, {"spec": spec}, dry_run=True)


def test_labels_of_a_request_may_change(api: ApiObjects, request_object: Manifest) -> None:
    changed = api.change(request_object, {"metadata": {"labels": {"team": "a"}}}, dry_run=True)

    assert changed["metadata"]["labels"] == {"team": "a"}
