from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps, UnidentifiedImageError

from synthetic_people import FLAWS, Flaw, Person, Photo, PhotoAttributes, photo_set, render
from synthetic_people.__main__ import main

_PERSON = Person.from_seed(9_000)


def _flawed(flaw: Flaw) -> tuple[Photo, list[Photo]]:
    photos = photo_set(_PERSON, 6, seed=1, flaws=[flaw])
    (photo,) = [photo for photo in photos if photo.flaw is not None]
    assert photo.flaw == flaw
    return photo, photos


def test_a_set_without_flaws_shows_one_person_in_different_scenes() -> None:
    photos = photo_set(_PERSON)
    assert len(photos) == len({photo.name for photo in photos}) == 12
    assert {photo.person for photo in photos} == {_PERSON}
    assert len({tuple(photo.attributes.attributes().values()) for photo in photos}) == 12


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (photo_set(_PERSON, 3, seed) for seed in (1, 1, 2))
    assert [photo.data for photo in first] == [photo.data for photo in again]
    assert [photo.data for photo in first] != [photo.data for photo in other]


def test_every_flaw_asked_for_is_there_once_and_the_first_photo_is_good() -> None:
    photos = photo_set(_PERSON, 12, flaws=FLAWS)
    assert sorted(photo.flaw for photo in photos if photo.flaw) == sorted(FLAWS)
    assert photos[0].flaw is None


def test_a_rotated_photo_is_upright_once_exif_is_applied() -> None:
    photo, _ = _flawed("rotated")
    upright = np.asarray(ImageOps.exif_transpose(photo.image).convert("RGB"), np.float32)
    expected = np.asarray(render(_PERSON, photo.attributes, 256), np.float32)
    assert np.abs(upright - expected).mean() < 4
    assert np.abs(np.asarray(photo.image, np.float32) - expected).mean() > 20


def test_a_blurred_photo_has_little_detail() -> None:
    photo, photos = _flawed("blurred")
    sharpness = {
        other.name: cv2.Laplacian(np.asarray(other.image.convert("L")), cv2.CV_64F).var() for other in photos
    }
    assert sharpness[photo.name] < 0.05 * min(
        value for name, value in sharpness.items() if name != photo.name
    )


def test_a_duplicate_shows_the_photo_before_it_in_other_bytes() -> None:
    photo, photos = _flawed("duplicate")
    before = photos[photos.index(photo) - 1]
    assert photo.data != before.data
    difference = np.asarray(photo.image, np.float32) - np.asarray(before.image, np.float32)
    assert np.abs(difference).mean() < 3


def test_a_tiny_photo_is_48_pixels_wide() -> None:
    assert _flawed("tiny")[0].image.size == (48, 48)


def test_a_stranger_is_somebody_clearly_different() -> None:
    assert _flawed("stranger")[0].person.differences(_PERSON) >= 3


def test_two_people_stand_side_by_side() -> None:
    assert _flawed("two_people")[0].image.size == (512, 256)


def test_not_an_image_cannot_be_decoded() -> None:
    with pytest.raises(UnidentifiedImageError):
        _ = _flawed("not_an_image")[0].image


@pytest.mark.parametrize(
    ("count", "flaws", "message"),
    [(0, (), "out of range"), (2, ("tiny", "blurred"), "do not fit"), (3, ("ugly",), "unknown flaw 'ugly'")],
)
def test_an_impossible_set_is_refused(count: int, flaws: tuple[Flaw, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        photo_set(_PERSON, count, flaws=flaws)


def test_a_haar_cascade_finds_most_faces() -> None:
    """Photo preparation looks for faces; most are found when two cascades may look at two contrasts."""
    cv2.setNumThreads(1)
    names = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml")
    cascades = [cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name)) for name in names]
    photos = [photo for seed in range(10) for photo in photo_set(Person.from_seed(seed), 4, seed)]

    def found(photo: Photo) -> bool:
        grey = np.asarray(photo.image.convert("L"), np.uint8)
        return any(
            len(cascade.detectMultiScale(contrast, 1.05, 2, minSize=(115, 115), maxSize=(205, 205))) > 0
            for contrast in (grey, cv2.equalizeHist(grey))
            for cascade in cascades
        )

    assert sum(found(photo) for photo in photos) >= 0.8 * len(photos)


def test_the_command_writes_photos_and_their_captions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--seed", "9000", "--count", "3", "--flaw", "tiny", "--out", str(tmp_path / "photos")]) == 0
    names = [path.name for path in sorted((tmp_path / "photos").iterdir())]
    assert names == ["captions.txt", "photo-000.jpg", "photo-001.jpg", "photo-002.jpg"]
    assert "\ttiny\n" in (tmp_path / "photos" / "captions.txt").read_text()
    assert Image.open(tmp_path / "photos" / "photo-000.jpg").size == (256, 256)
    assert "3 photos of brown, black, curly" in capsys.readouterr().out


def test_the_command_says_what_is_wrong_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--seed", "1", "--count", "0", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "synthetic_people: count 0 is out of range: give 1 to 1000 photos\n"


def test_pose_and_light_are_recorded_with_the_photo() -> None:
    photo = photo_set(_PERSON, 1)[0]
    assert isinstance(photo.attributes, PhotoAttributes)
    decoded = np.asarray(photo.image, np.float32)
    assert np.abs(decoded - np.asarray(render(_PERSON, photo.attributes, 256), np.float32)).mean() < 4
