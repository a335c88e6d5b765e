"""The example's manifests, and what the demo fills in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from avatar_demo.aws_account import AccountResources
from avatar_demo.errors import DemoError
from avatar_demo.example import PHOTO_COUNT, example_photos, load_example, namespace_of
from avatar_demo.settings import EXAMPLE
from builders import demo_objects as make

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


def test_the_demo_fills_in_exactly_the_placeholders_that_the_runtime_documents() -> None:
    resources = AccountResources(
        "123456789012", "http://queue", "http://application", "http://demo", "0" * 64
    )
    documented = set(PLACEHOLDER.findall((EXAMPLE / "runtime.yaml").read_text().partition("apiVersion")[0]))
    used = set(PLACEHOLDER.findall((EXAMPLE / "runtime.yaml").read_text().partition("apiVersion")[2]))
    assert documented == used == set(resources.placeholders())


def test_what_a_product_team_writes_needs_no_placeholders() -> None:
    for name in ("model.yaml", "request.yaml"):
        assert "$" not in (EXAMPLE / name).read_text()


def test_the_three_objects_refer_to_each_other() -> None:
    example = make.example()
    assert example.model.spec.runtime_ref.name == example.runtime.metadata.name
    assert example.request.spec.model_ref.name == example.model.metadata.name
    assert example.request.metadata.namespace == example.model.metadata.namespace == namespace_of(EXAMPLE)


def test_the_photos_are_as_many_as_the_runtime_takes_and_where_it_allows_them() -> None:
    example = make.example()
    limits = example.runtime.spec.limits.photos
    assert limits.min_count <= PHOTO_COUNT <= limits.max_count
    assert len(example_photos()) == PHOTO_COUNT
    allowed = example.runtime.spec.storage.allowed.photos[0].replace("{namespace}", example.namespace)
    assert example.photos_prefix.startswith(allowed)


def test_each_piece_of_work_has_rights_of_its_own_and_each_endpoint_a_role_of_its_own() -> None:
    backend = make.example().runtime.spec.backend.sagemaker
    assert backend is not None
    roles = {
        backend.attempt_role_arn,
        backend.training.execution_role_arn,
        backend.inference.execution_role_arn,
    }
    assert len(roles - {None}) == 3
    assert backend.execution_role_arn is None


def test_every_prompt_speaks_of_the_person_by_token_and_class() -> None:
    example = make.example()
    subject = example.model.spec.subject
    assert all(
        f"{subject.token} {subject.class_noun}" in entry.prompt for entry in example.request.spec.prompts
    )


def test_an_unknown_placeholder_is_named_with_those_that_are_known(copy: Path) -> None:
    (copy / "model.yaml").write_text("name: ${MY_NAME}")
    with pytest.raises(
        DemoError, match=r"model\.yaml: nobody knows the placeholder \$\{MY_NAME\}; there are"
    ):
        load_example(copy, make.PLACEHOLDERS)


def test_a_manifest_that_does_not_fit_its_kind_is_named_with_the_field(copy: Path) -> None:
    text = (copy / "request.yaml").read_text().replace("numImages: 2", "numImages: many", 1)
    (copy / "request.yaml").write_text(text)
    with pytest.raises(DemoError, match=r"AvatarRequest spec\.prompts\.0\.numImages"):
        load_example(copy, make.PLACEHOLDERS)
