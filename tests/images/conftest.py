"""Images made the quick way. They need root and mmdebstrap; where those are missing, a run that may skip says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from container_images.cache import cache_directory
from container_images.images import image_named
from container_images.quick import QuickImage, quick_image
from container_images.uv_program import find_uv
from indispensable import needed_images

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="session", autouse=True)
def images_can_be_made() -> None:
    """Fails where nothing may be skipped."""
    needed_images()


@pytest.fixture(scope="session")
def operator_image(tmp_path_factory: pytest.TempPathFactory) -> QuickImage:
    """The operator's."""
    return made("avatar-operator", cache_directory(), tmp_path_factory.mktemp("operator-image"))


@pytest.fixture(scope="session")
def sagemaker_image(tmp_path_factory: pytest.TempPathFactory) -> QuickImage:
    """sagemaker-local's."""
    return made("sagemaker-local", cache_directory(), tmp_path_factory.mktemp("sagemaker-image"))


def made(name: str, cache: Path, work: Path) -> QuickImage:
    """An image of the sources as they are."""
    return quick_image(image_named(name), find_uv(), cache, work, REVISION)
