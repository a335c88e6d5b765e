"""What the documents show is what the API server takes."""

import pytest
import yaml

from builders.api_objects import ApiObjects
from documents.pages import DOCS, manifests

EXAMPLES = [(page.stem, text) for page in sorted(DOCS.glob("*.md")) for text in manifests(page)]


def test_there_is_something_to_take() -> None:
    assert {yaml.safe_load(text)["kind"] for _, text in EXAMPLES} >= {"AvatarModel", "AvatarRequest"}


@pytest.mark.parametrize(("page", "text"), EXAMPLES)
def test_a_manifest_of_the_documents_is_accepted(api: ApiObjects, tenant: str, page: str, text: str) -> None:
    manifest = yaml.safe_load(text)
    manifest["metadata"]["namespace"] = tenant

    assert api.create(manifest, dry_run=True)["spec"].items() >= {
        (name, value) for name, value in manifest["spec"].items() if not isinstance(value, dict | list)
    }
