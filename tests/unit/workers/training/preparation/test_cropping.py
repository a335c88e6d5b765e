"""The square lies in the picture, holds the face, and is never scaled up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from avatar_workers.training.preparation.cropping import Face, choose_square, cut, find_face


def test_without_a_face_it_is_the_middle() -> None:
    square = choose_square(300, 100, None, min_side=64)
    assert (square.left, square.top, square.side) == (100, 0, 100)


def test_it_moves_to_the_face() -> None:
    square = choose_square(100, 300, Face(50, 40, 40), min_side=64)
    assert (square.left, square.top, square.side) == (0, 0, 100)


def test_it_closes_in_on_a_small_face() -> None:
    square = choose_square(1000, 1000, Face(500, 300, 100), min_side=64)
    assert (square.left, square.top, square.side) == (375, 175, 250)


@given(
    st.integers(64, 4000),
    st.integers(64, 4000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.01, 1),
)
def test_it_always_lies_in_the_picture_and_is_large_enough(
    width: int, height: int, x: float, y: float, share: float
) -> None:
    face = Face(x * width, y * height, share * min(width, height))
    square = choose_square(width, height, face, min_side=64)
    assert square.side >= 64
    assert 0 <= square.left <= width - square.side
    assert 0 <= square.top <= height - square.side


@pytest.mark.parametrize("size", [(64, 64), (900, 64), (2000, 3000)])
def test_a_picture_without_anybody_has_no_face(size: tuple[int, int]) -> None:
    assert find_face(Image.new("RGB", size, "grey")) is None


def test_the_cut_has_the_resolution_asked_for() -> None:
    image = Image.new("RGB", (300, 100))
    assert cut(image, choose_square(300, 100, None, min_side=64), 64).size == (64, 64)
