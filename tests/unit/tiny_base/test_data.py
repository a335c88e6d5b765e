from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthetic_people import ATTRIBUTES, Person, held_out_people
from tiny_base.data import attributes_of, labels_of, render_held_out_data, render_pretraining_data


@given(st.tuples(*(st.integers(0, len(values) - 1) for values in ATTRIBUTES.values())))
def test_labels_and_attributes_are_inverse(labels: tuple[int, ...]) -> None:
    assert tuple(labels_of(attributes_of(labels))) == labels


def test_held_out_data_shows_the_held_out_people_in_turn() -> None:
    _, labels = render_held_out_data(5, seed=0)
    for row, person in zip(labels, held_out_people(), strict=False):
        attributes = attributes_of(row)
        assert {name: attributes[name] for name in person.attributes()} == person.attributes()


def test_rendered_data_is_reused_and_shows_no_held_out_person(tmp_path: Path) -> None:
    images, labels = render_pretraining_data(tmp_path, 6, seed=1, processes=1)
    assert images.shape == (6, 64, 64, 3)
    written = (tmp_path / "images.npy").stat().st_mtime_ns
    again, _ = render_pretraining_data(tmp_path, 6, seed=1, processes=1)
    assert (tmp_path / "images.npy").stat().st_mtime_ns == written
    assert np.array_equal(images, again)
    for row in labels:
        attributes = attributes_of(row)
        assert not Person(**{name: attributes[name] for name in held_out_people()[0].attributes()}).held_out
