from pathlib import Path

import numpy as np
import pytest
import torch

from synthetic_people import ATTRIBUTES, Person, PhotoAttributes, held_out_people, photo_set
from tiny_base.data import attributes_of, render_held_out_data
from tiny_base.judge import Judge, JudgeNetwork
from tiny_base.judge_training import worsened
from tiny_base.measure import accuracy, chance
from tiny_base.pixels import to_tensor

_SHIPPED = Path(__file__).parents[3] / "dev" / "models" / "tiny-judge"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load(_SHIPPED)


def test_the_shipped_judge_reads_renders_of_held_out_people(judge: Judge) -> None:
    images, labels = render_held_out_data(200, seed=21)
    right = accuracy(judge.read(images), [attributes_of(row) for row in labels])
    assert set(right) == set(ATTRIBUTES)
    assert min(right.values()) >= 0.97


def test_the_shipped_judge_ranks_the_person_in_the_photo_first(judge: Judge) -> None:
    people = held_out_people()
    ranks = [
        judge.ranks([photo.image], person, people) for person in people[:10] for photo in photo_set(person, 2)
    ]
    assert (np.concatenate(ranks) == 1).mean() >= 0.95


def test_a_stranger_is_not_ranked_first(judge: Judge) -> None:
    people = held_out_people()
    photos = [photo.image for photo in photo_set(people[1], 4)]
    assert (judge.ranks(photos, people[0], people) > 1).all()


def test_a_saved_judge_reads_alike(tmp_path: Path) -> None:
    torch.manual_seed(0)
    judge = Judge(JudgeNetwork(width=8))
    judge.save(tmp_path)
    images, _ = render_held_out_data(4, seed=0)
    loaded = Judge.load(tmp_path).scores(images)
    for name, scores in judge.scores(images).items():
        np.testing.assert_allclose(loaded[name], scores, atol=0.02)


def test_a_judge_of_other_attributes_is_refused(tmp_path: Path) -> None:
    Judge(JudgeNetwork(width=8)).save(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace("eyepatch", "monocle"))
    with pytest.raises(ValueError, match="trained for other attributes: train it again"):
        Judge.load(tmp_path)


def test_worsened_pictures_still_resemble_and_differ_every_time() -> None:
    images, _ = render_held_out_data(4, seed=0)
    pixels = to_tensor(images)
    generator = torch.Generator().manual_seed(0)
    one, other = worsened(pixels, generator), worsened(pixels, generator)
    assert one.shape == pixels.shape
    assert 0.01 < (one - other).abs().mean() < 0.5


def test_accuracy_counts_only_what_was_expected() -> None:
    attributes = Person.from_seed(1).attributes() | PhotoAttributes("beach", "suit", "smiling").attributes()
    figures = accuracy(
        [attributes, attributes], [{"background": "beach"}, {"background": "snow", "clothes": "suit"}]
    )
    assert figures == {"background": 0.5, "clothes": 1.0}


def test_chance_is_the_share_of_the_commonest_expected_value() -> None:
    expected = [{"hat": "cap"}, {"hat": "cap"}, {"hat": "crown"}, {"skin": "tan"}]
    assert chance(expected) == {"hat": pytest.approx(2 / 3), "skin": 1.0}
