import random

import numpy as np
import pytest

from synthetic_people import ATTRIBUTES, Person, PhotoAttributes, render

_PERSON = Person("tan", "red", "short", "bare", "shaven", "hatless")
_SCENE = PhotoAttributes("snow", "suit", "smiling")


@pytest.mark.parametrize("size", [16, 64, 256])
def test_a_picture_has_the_size_asked_for(size: int) -> None:
    picture = render(_PERSON, _SCENE, size)
    assert picture.size == (size, size)
    assert picture.mode == "RGB"


@pytest.mark.parametrize("size", [15, 1025])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="out of range: give 16 to 1024 pixels"):
        render(_PERSON, _SCENE, size)


def test_the_same_arguments_give_the_same_pixels() -> None:
    assert render(_PERSON, _SCENE).tobytes() == render(_PERSON, _SCENE).tobytes()


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_two_values_of_an_attribute_look_different(attribute: str) -> None:
    attributes = _PERSON.attributes() | _SCENE.attributes()
    pictures = []
    for value in ATTRIBUTES[attribute]:
        changed = attributes | {attribute: value}
        person = Person(**{name: changed[name] for name in _PERSON.attributes()})
        scene = PhotoAttributes(changed["background"], changed["clothes"], changed["expression"])
        pictures.append(np.asarray(render(person, scene), np.float32))
    for index, picture in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert (np.abs(picture - other).max(2) > 40).mean() > 0.004


def test_tilt_shift_and_zoom_keep_the_face_in_the_picture() -> None:
    rng = random.Random(0)
    for _ in range(20):
        pixels = np.asarray(render(_PERSON, PhotoAttributes.random(rng)), np.int32)
        face = pixels[28:40, 26:38].reshape(-1, 3)
        assert (face[:, 0] > face[:, 2]).mean() > 0.6
