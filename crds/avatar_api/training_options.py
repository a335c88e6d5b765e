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
            decimal("weight", at_most=100, example="1.0"),
            Field(
                description="Weight of the class images' loss beside the photos': a decimal number in quotes, such as \"1.0\". "
                "Where neither the model nor the runtime says: 1.0."
            ),
        ]
        | None
    ) = None
    num_class_images: (
        Annotated[
            int,
            Field(
                ge=0,
                le=1000,
                description="Class images that are drawn for a training; 0 turns prior preservation off. "
                "Where neither the model nor the runtime says: 100.",
            ),
        ]
        | None
    ) = None


class TrainingOptions(ApiModel):
    """Hyperparameters. Every one is optional: the runtime has defaults, and limits."""

    method: (
        Annotated[
            Literal["LoRA"],
            Field(
                description="How the base is personalised. LoRA: small matrices beside its own weights, a few megabytes. "
                "Where neither the model nor the runtime says: LoRA."
            ),
        ]
        | None
    ) = None
    steps: (
        Annotated[
            int,
            Field(
                ge=1,
                le=20000,
                description="Training steps, each over one batch of photos: more learn the person better, until pictures "
                "begin to copy the photos. Where neither the model nor the runtime says: 800.",
            ),
        ]
        | None
    ) = None
    batch_size: (
        Annotated[
            int,
            Field(
                ge=1,
                le=64,
                description="Photos in one training step; each needs GPU memory. Where neither the model nor the runtime "
                "says: 1.",
            ),
        ]
        | None
    ) = None
    learning_rate: (
        Annotated[
            str,
            decimal("learningRate", above_zero=True, at_most=1, example="0.0001"),
            Field(
                description='How far one training step moves the weights: a decimal number in quotes, such as "0.0001". '
                "Where neither the model nor the runtime says: 0.0001."
            ),
        ]
        | None
    ) = None
    rank: (
        Annotated[
            int,
            Field(
                ge=1,
                le=256,
                description="Columns of the LoRA's matrices: more hold more detail, and make the artifact larger in proportion. "
                "Where neither the model nor the runtime says: 16.",
            ),
        ]
        | None
    ) = None
    resolution: (
        Annotated[
            int,
            Field(
                ge=64,
                le=2048,
                multiple_of=8,
                description="Width and height that photos are cropped and scaled to, in pixels: what the base was made for. "
                "Where neither the model nor the runtime says: 512.",
            ),
        ]
        | None
    ) = None
    text_encoder: (
        Annotated[
            Literal["Train", "Freeze"],
            Field(
                description="Train: the text encoder gets a LoRA too, which costs time and memory. Freeze: it stays as it is. "
                "Where neither the model nor the runtime says: Freeze."
            ),
        ]
        | None
    ) = None
    prior_preservation: PriorPreservation = PriorPreservation()
    seed: (
        Annotated[
            Seed,
            Field(
                description="Number that all chance of the training begins with: the same inputs and seed train alike. "
                "Where neither the model nor the runtime says: 0."
            ),
        ]
        | None
    ) = None
