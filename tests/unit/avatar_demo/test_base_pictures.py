"""The base is asked for exactly what the personal model has drawn."""

from __future__ import annotations

from avatar_demo.base_pictures import inference_request, picture_requests
from builders import demo_objects as make

IMAGES = [
    {"uri": "s3://a/1.png", "promptIndex": 0, "imageIndex": 1, "seed": 101, "sha256": "0" * 64},
    {"uri": "s3://a/2.png", "promptIndex": 3, "imageIndex": 0, "seed": 400, "sha256": "0" * 64},
]


def test_prompts_and_seeds_are_those_of_the_finished_request() -> None:
    request = make.request(state="Succeeded", images=IMAGES)
    asked = [(picture.prompt, picture.seed) for picture in picture_requests(request)]
    assert asked == [(request.spec.prompts[0].prompt, 101), (request.spec.prompts[3].prompt, 400)]


def test_settings_are_the_runtimes_unless_the_request_has_its_own() -> None:
    runtime, request = make.runtime(), make.request(state="Succeeded", images=IMAGES)
    asked = request.model_copy(update={"spec": request.spec.model_copy(update={"steps": 7})})
    document = inference_request(runtime, asked, picture_requests(asked))
    defaults = runtime.spec.defaults.inference
    assert document.num_inference_steps == 7
    assert (document.width, document.scheduler) == (defaults.width, defaults.scheduler)
    assert document.output_prefix is None
