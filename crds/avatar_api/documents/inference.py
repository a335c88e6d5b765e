"""The inference contract: what the operator sends through InvokeEndpoint, and what comes back.

Field names are those of diffusers' pipelines. With an output prefix each picture is written to
`<prefix><promptIndex>-<imageIndex>-<seed>.png` with its SHA-256 as S3 checksum: the name says everything that made
it, so a request that was interrupted continues with the pictures that are missing.

The name of a personal model says where it lies, not what lies there by now. So a request carries the digest of the
weights that were verified, and the worker draws with no others. It is absent where the operator is too old to send it,
or the artifact too old to have it recorded; a worker that does not know it draws all the same.

Where the runtime has an attempt role, a request carries the credentials that its pictures are stored with: good for its own
directory alone. Without them the worker acts with its own role.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.avatar_request import SchedulerName
from avatar_api.documents.bounds import Address
from avatar_api.documents.credentials import SessionCredentials
from avatar_api.schema_base import ApiModel, S3PrefixUri, Seed, Sha256

MAX_PICTURES_PER_INVOCATION = 16
MAX_SECONDS = 3600
"""No invocation takes as long; what is beyond was not measured."""
MAX_INLINE_CHARACTERS = 6 << 20
"""SageMaker returns no more than 6 MiB of an answer, all pictures together."""
PromptIndex = Annotated[int, Field(ge=0, le=63)]
ImageIndex = Annotated[int, Field(ge=0, le=15)]


class PictureRequest(ApiModel):
    """One picture to draw."""

    prompt: Annotated[str, Field(min_length=1, max_length=2000)]
    negative_prompt: Annotated[str, Field(max_length=2000)] = ""
    seed: Seed
    prompt_index: PromptIndex
    image_index: ImageIndex

    def file_name(self) -> str:
        """The name of the picture below the output prefix."""
        return f"{self.prompt_index:02d}-{self.image_index:02d}-{self.seed}.png"


class InferenceRequest(ApiModel):
    """Pictures that one personal model (or the base) shall draw."""

    schema_version: Literal["avatars.dev/inference-request/v1alpha1"] = (
        "avatars.dev/inference-request/v1alpha1"
    )
    pictures: Annotated[list[PictureRequest], Field(min_length=1, max_length=MAX_PICTURES_PER_INVOCATION)]
    num_inference_steps: Annotated[int, Field(ge=1, le=150)]
    guidance_scale: Annotated[float, Field(ge=0, le=50)]
    width: Annotated[int, Field(ge=64, le=2048, multiple_of=8)]
    height: Annotated[int, Field(ge=64, le=2048, multiple_of=8)]
    scheduler: SchedulerName
    output_prefix: S3PrefixUri | None = None
    weights_sha256: (
        Annotated[Sha256, Field(description="Of the personal model's weights: draw with no others.")] | None
    ) = None
    credentials: (
        Annotated[SessionCredentials, Field(description="Store pictures with these, not with the own role.")]
        | None
    ) = None


class PictureResult(ApiModel):
    """One picture: its place in S3, or its PNG inline (base64) if no output prefix was given."""

    uri: Address | None = None
    png_base64: Annotated[str, Field(max_length=MAX_INLINE_CHARACTERS)] | None = None
    prompt_index: PromptIndex
    image_index: ImageIndex
    seed: Seed
    sha256: Sha256


class InferenceResult(ApiModel):
    """Body of a successful invocation."""

    schema_version: Literal["avatars.dev/inference-result/v1alpha1"] = "avatars.dev/inference-result/v1alpha1"
    pictures: Annotated[list[PictureResult], Field(max_length=MAX_PICTURES_PER_INVOCATION)]
    generate_seconds: Annotated[float, Field(ge=0, le=MAX_SECONDS)]
