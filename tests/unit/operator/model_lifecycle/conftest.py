"""A world with a model that nobody has looked at yet."""

import pytest

from avatar_api.group import AVATAR_RUNTIME
from builders.world import World


@pytest.fixture
async def world() -> World:
    """A runtime in service and a new model."""
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    return world
