"""Hyperparameters that the quality benchmark is given by hand."""

from __future__ import annotations

import pytest
from benchmarks.example_settings import training_options
from pydantic import ValidationError


def test_options_are_named_as_in_a_models_spec() -> None:
    options = training_options(["steps=120", "priorPreservation.weight=0.5"])
    assert options.steps == 120
    assert options.prior_preservation is not None
    assert options.prior_preservation.weight == "0.5"


@pytest.mark.parametrize("assignment", ["step=120", "priorPreservation.classImages=8"])
def test_an_unknown_name_is_refused_and_named(assignment: str) -> None:
    with pytest.raises(ValidationError, match=assignment.split("=")[0]):
        training_options([assignment])


def test_what_is_no_assignment_is_refused() -> None:
    with pytest.raises(ValueError, match="NAME=VALUE"):
        training_options(["steps"])
