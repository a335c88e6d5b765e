"""Which pictures a request asks for, under which names, with which seeds."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from avatar_operator.request_lifecycle.actions import DrawPictures
from avatar_operator.request_lifecycle.phases.drawing import drawing
from avatar_operator.request_lifecycle.pictures import wanted_pictures
from builders import model_stages, request_stages
from builders.objects import a_model, a_request, a_runtime
from builders.observations import observed_request, request_draft

PROMPTS = st.lists(
    st.fixed_dictionaries(
        {"prompt": st.just("a photo of sks person"), "numImages": st.integers(1, 16)},
        optional={"seed": st.integers(0, 2**32 - 1), "negativePrompt": st.just("blurred")},
    ),
    min_size=1,
    max_size=8,
)


@given(PROMPTS)
def test_every_picture_has_a_name_of_its_own(prompts: list[dict[str, Any]]) -> None:
    pictures = wanted_pictures(a_request(spec={"prompts": prompts}))

    assert len(pictures) == sum(prompt["numImages"] for prompt in prompts)
    assert len({picture.file_name() for picture in pictures}) == len(pictures)


@given(PROMPTS)
def test_the_same_request_asks_for_the_same_pictures(prompts: list[dict[str, Any]]) -> None:
    request = a_request(spec={"prompts": prompts})

    assert wanted_pictures(request) == wanted_pictures(request.model_copy())


def test_seeds_count_on_from_the_one_that_the_user_gave() -> None:
    request = a_request(spec={"prompts": [{"prompt": "x", "seed": 41, "numImages": 3}]})

    assert [picture.seed for picture in wanted_pictures(request)] == [41, 42, 43]


def test_seeds_start_over_at_the_end_of_their_range() -> None:
    request = a_request(spec={"prompts": [{"prompt": "x", "seed": 2**32 - 1, "numImages": 2}]})

    assert [picture.seed for picture in wanted_pictures(request)] == [2**32 - 1, 0]


def test_requests_that_name_no_seed_draw_different_pictures() -> None:
    spec = {"prompts": [{"prompt": "x"}]}
    (first,) = wanted_pictures(a_request(uid="first", spec=spec))
    (second,) = wanted_pictures(a_request(uid="second", spec=spec))

    assert first.seed != second.seed


@given(PROMPTS, st.data())
def test_drawing_asks_for_missing_pictures_only_until_none_is_missing(
    prompts: list[dict[str, Any]], data: st.DataObject
) -> None:
    request = a_request(spec={"prompts": prompts}, status=request_stages.drawing())
    runtime = a_runtime(
        spec={"limits": {"inference": {"picturesPerInvocation": data.draw(st.integers(1, 16))}}}
    )
    wanted = {picture.file_name() for picture in wanted_pictures(request)}
    existing = set(data.draw(st.sets(st.sampled_from(sorted(wanted)))))
    model = a_model(status=model_stages.hosted())

    while existing != wanted:
        observation = observed_request(request, model=model, runtime=runtime, existing=frozenset(existing))
        (action,) = drawing(observation, request_draft(observation)).actions
        assert isinstance(action, DrawPictures)
        drawn = {picture.file_name() for picture in action.call.pictures}
        assert 0 < len(drawn) <= runtime.spec.limits.inference.pictures_per_invocation
        assert drawn <= wanted - existing
        existing |= drawn
