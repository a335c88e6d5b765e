"""What a run ends with: the same prompts by the base and by the personal model, on one sheet and in one sentence."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from avatar_demo.aws_account import AwsAccount
from avatar_demo.base_pictures import draw_with_base
from avatar_demo.contact_sheet import PromptPictures, Titles, contact_sheet
from avatar_demo.example import PERSON_SEED
from avatar_demo.observation import Snapshot
from synthetic_people import Person, Photo


@dataclass(frozen=True)
class Comparison:
    """The two models side by side.

    Attributes:
        sheet: for people to look at.
        sentence: what the judge says of it.
    """

    sheet: Image.Image
    sentence: str


def compare_with_base(aws: AwsAccount, snapshot: Snapshot, photos: Sequence[Photo]) -> Comparison:
    """Have the base draw what the personal model has drawn, and put both together.

    Args:
        aws: the account.
        snapshot: of the moment when everything was there.
        photos: what the personal model was trained on.

    Raises:
        DemoError, botocore's errors: the base did not draw.
    """
    runtime, model, request = snapshot.runtime, snapshot.model, snapshot.request
    assert runtime is not None
    assert model is not None
    assert request is not None
    by_base = draw_with_base(aws, runtime, request)
    landed = {picture.uri: picture.png for picture in snapshot.pictures}
    by_personal_model = [landed[image.uri] for image in request.status.images]
    prompts = []
    drawn = zip(request.status.images, by_base, by_personal_model, strict=True)
    for index, group in itertools.groupby(drawn, key=lambda each: each[0].prompt_index):
        pictures = list(group)
        prompts.append(
            PromptPictures(
                prompt=request.spec.prompts[index].prompt,
                by_base=[base for _, base, _ in pictures],
                by_personal_model=[personal for _, _, personal in pictures],
            )
        )
    subject = model.spec.subject
    name = model.metadata.name
    sheet = contact_sheet(
        [photo.data for photo in photos],
        prompts,
        Titles(
            heading=f"AvatarModel {name}: from {len(photos)} photos to “{subject.token} {subject.class_noun}”",
            photos="photos",
            base="base model",
            personal_model=f"model {name}, same seeds",
        ),
    )
    # Imported here: torch takes seconds, and nothing before this needs it.
    from avatar_demo.likeness_line import likeness_line

    return Comparison(sheet, likeness_line(Person.from_seed(PERSON_SEED), by_base, by_personal_model))
