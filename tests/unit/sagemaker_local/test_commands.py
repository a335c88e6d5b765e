"""Image names and their command lines."""

from __future__ import annotations

import pytest

from sagemaker_local.instances.commands import ImageCommands, UnknownImage, fill_in, parse_image_option


def test_an_option_is_split_as_a_shell_splits_words() -> None:
    assert parse_image_option("trainer=python -m 'my trainer' --k=v") == (
        "trainer",
        ["python", "-m", "my trainer", "--k=v"],
    )


@pytest.mark.parametrize("option", ["trainer", "=python", "trainer=", "trainer=  ", "trainer='unclosed"])
def test_an_option_that_says_nothing_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match="--image"):
        parse_image_option(option)


@pytest.mark.parametrize(
    "image",
    [
        "trainer",
        "trainer:v1",
        "trainer@sha256:abc",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/trainer:v1",
        "localhost:5000/trainer",
    ],
)
def test_a_short_name_stands_for_any_registry_and_tag(image: str) -> None:
    assert ImageCommands({"trainer": ["run"]}).command(image) == ["run"]


def test_the_more_exact_name_wins() -> None:
    commands = ImageCommands(
        {"team/trainer": ["any"], "team/trainer:v2": ["two"], "ecr.example/team/trainer:v2": ["exact"]}
    )
    assert commands.command("ecr.example/team/trainer:v2") == ["exact"]
    assert commands.command("other.example/team/trainer:v2") == ["two"]
    assert commands.command("other.example/team/trainer:v3") == ["any"]


def test_an_unknown_image_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(UnknownImage, match=r"'server:v1'.*known: trainer"):
        ImageCommands({"trainer": ["run"]}).command("server:v1")


def test_placeholders_are_filled_and_other_braces_left_alone() -> None:
    assert fill_in(["--port={port}", '{"a": 1}', "{model_dir}/x"], 80, "/m") == [
        "--port=80",
        '{"a": 1}',
        "/m/x",
    ]
