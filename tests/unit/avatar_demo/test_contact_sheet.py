"""The picture that the demo ends with."""

from __future__ import annotations

import io

from PIL import Image

from avatar_demo.contact_sheet import PromptPictures, Titles, contact_sheet

TITLES = Titles("AvatarModel ann", "photos", "base model", "model ann, same seeds")
PHOTO, BASE, PERSONAL = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def png(colour: tuple[int, int, int], side: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def sheet(prompts: int = 5, images: int = 2, photos: int = 12) -> Image.Image:
    entry = PromptPictures("a photo of sks person", [png(BASE)] * images, [png(PERSONAL)] * images)
    return contact_sheet([png(PHOTO, 256)] * photos, [entry] * prompts, TITLES)


def pixels_of(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    colours = picture.getcolors(picture.width * picture.height)
    assert colours is not None
    return next((count for count, found in colours if found == colour), 0)


def test_base_and_personal_model_get_the_same_room() -> None:
    picture = sheet()
    assert pixels_of(picture, BASE) == pixels_of(picture, PERSONAL) > 0


def test_the_personal_models_picture_stands_right_below_the_bases() -> None:
    picture = sheet(prompts=1, images=1)
    columns = [[picture.getpixel((x, y)) for y in range(picture.height)] for x in range(0, picture.width, 8)]
    both = [column for column in columns if BASE in column or PERSONAL in column]
    assert both
    assert all(column.index(BASE) < column.index(PERSONAL) for column in both)


def test_every_photo_is_shown() -> None:
    one, twelve = pixels_of(sheet(photos=1), PHOTO), pixels_of(sheet(photos=12), PHOTO)
    assert 0 < one < twelve
    assert twelve % 12 == 0


def test_a_single_prompt_and_fifteen_photos_fit_too() -> None:
    picture = sheet(prompts=1, images=1, photos=15)
    assert pixels_of(picture, PHOTO) > 0
    assert picture.width < 500


def test_a_long_prompt_does_not_run_into_the_pictures() -> None:
    entry = PromptPictures("a photo of sks person " * 20, [png(BASE)], [png(PERSONAL)])
    with_long = contact_sheet([png(PHOTO)], [entry], TITLES)
    assert pixels_of(with_long, BASE) == pixels_of(sheet(prompts=1, images=1), BASE)
