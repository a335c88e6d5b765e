"""An invocation that draws."""

from avatar_api.documents.inference import PictureRequest
from avatar_operator.backends.compute import DrawCall
from builders.backend_objects import BUCKET

CALL = DrawCall(
    request_uid="8c5d2f8e-7f0b-4c7e-9d3b-0a3f6d1f4f10",
    target_model="team-a/nobody/r1-a1.tar.gz",
    artifact=f"s3://{BUCKET}/artifacts/team-a/nobody/r1-a1.tar.gz",
    weights_sha256="d" * 64,
    pictures=(PictureRequest(prompt="a photo of sks person", seed=1, prompt_index=0, image_index=0),),
    num_inference_steps=5,
    guidance_scale=7.5,
    width=64,
    height=64,
    scheduler="DDIM",
    output_prefix=f"s3://{BUCKET}/outputs/team-a/nobody/",
)
