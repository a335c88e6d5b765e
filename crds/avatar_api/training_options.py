"""Hyperparameters of a training: what a user may ask for, and what a platform team gives those who do not.

A model's wishes and a runtime's defaults are the same fields, so that what is left out here is taken from there.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.schema_base import ApiModel, Seed, decimal


class PriorPreservation(ApiModel):
    """Pictures of the class, drawn by the base, that keep "a person" from becoming this person (DreamBooth, 2208.12242)."""

    weight: (
        Annotated[
            str,
            decimal("weight", ("double(self) <= 100.0", "weight must be at most 100"), example="1.0"),
            Field(description="Weight of the class images' loss beside the photos': 0 to 100."),
        ]
        | None
    ) = None
    num_class_images: (
        Annotated[int, Field(ge=0, le=1000, description="0 turns prior preservation off.")] | None
    ) = None


class TrainingOptions(ApiModel):
    """Hyperparameters. Every one is optional: the runtime has defaults, and limits."""

    method: Literal["LoRA"] | None = None
    steps: Annotated[int, Field(ge=1, le=20000)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=64)] | None = None
    learning_rate: (
        Annotated[
            str,
            decimal(
                "learningRate",
                ("double(self) > 0.0 && double(self) <= 1.0", "learningRate must be above 0 and at most 1"),
                example="0.0001",
            ),
            Field(description='A decimal number in quotes, above 0 and at most 1, such as "0.0001".'),
        ]
        | None
    ) = None
    rank: Annotated[int, Field(ge=1, le=256)] | None = None
    resolution: (
        Annotated[int, Field(ge=64, le=2048, multiple_of=8, description="Pixels, of a square.")] | None
    ) = None
    text_encoder: (
        Annotated[Literal["Train", "Freeze"], Field(description="Whether the text encoder gets a LoRA too.")]
        | None
    ) = None
    prior_preservation: PriorPreservation = PriorPreservation()
    seed: Seed | None = None
