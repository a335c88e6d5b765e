"""Drawing: what is missing is drawn, some pictures at a time, until none is."""

from avatar_operator.core.conditions import is_true
from avatar_operator.request_lifecycle.actions import DrawPictures, RequestDraft
from avatar_operator.request_lifecycle.lifecycle import state_of
from avatar_operator.request_lifecycle.phases.drawing import drawing
from avatar_operator.request_lifecycle.pictures import wanted_pictures
from builders import model_stages, request_stages
from builders.backend import stored
from builders.objects import MODEL_UID, a_model, a_request
from builders.observations import observed_request, request_draft
from builders.request_stages import PREFIX

ANN = a_model(status=model_stages.hosted())
RUNNING = request_stages.drawing()


def _drawing(*, existing: frozenset[str], complete: bool = False, pictures: int = 7) -> RequestDraft:
    prompts = [{"prompt": "one", "numImages": pictures, "seed": 1}]
    request = a_request(spec={"prompts": prompts}, status=RUNNING)
    described = [stored(PREFIX, picture) for picture in wanted_pictures(request)] if complete else None
    observation = observed_request(request, model=ANN, existing=existing, pictures=described)
    return drawing(observation, request_draft(observation))


def test_an_invocation_draws_no_more_than_the_runtime_says() -> None:
    (action,) = _drawing(existing=frozenset()).actions

    assert isinstance(action, DrawPictures)
    assert [picture.image_index for picture in action.call.pictures] == [0, 1, 2, 3]


def test_drawing_goes_on_with_the_pictures_that_are_missing() -> None:
    existing = frozenset({"00-00-1.png", "00-02-3.png", "00-03-4.png", "00-05-6.png"})

    (action,) = _drawing(existing=existing).actions

    assert isinstance(action, DrawPictures)
    assert [picture.image_index for picture in action.call.pictures] == [1, 4, 6]


def test_pictures_of_others_below_the_prefix_count_for_nothing() -> None:
    (action,) = _drawing(existing=frozenset({"holiday.png"}), pictures=1).actions

    assert isinstance(action, DrawPictures)


def test_a_request_is_drawn_with_the_models_artifact_and_the_runtimes_defaults() -> None:
    (action,) = _drawing(existing=frozenset()).actions

    assert isinstance(action, DrawPictures)
    call = action.call
    assert call.target_model == f"team-a/{MODEL_UID}/r1-a1.tar.gz"
    assert (call.num_inference_steps, call.guidance_scale, call.width, call.height, call.scheduler) == (
        25,
        7.5,
        512,
        512,
        "DDIM",
    )


def test_a_request_succeeds_when_no_picture_is_missing() -> None:
    names = frozenset(f"00-{index:02d}-{index + 1}.png" for index in range(7))

    draft = _drawing(existing=names, complete=True)

    assert draft.actions == ()
    assert state_of(draft.status, deleting=False) == "Succeeded"
    assert [picture.uri for picture in draft.status.images] == [f"{PREFIX}{name}" for name in sorted(names)]
    assert is_true(draft.status.conditions, "Succeeded")
    assert draft.finished
