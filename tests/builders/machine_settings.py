"""How long Hypothesis looks for trouble in a state machine: a little in the suite, as long as it is told at night."""

import os

from hypothesis import settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "repeatable")
"""The profile of tests/conftest.py that is in force."""


def machine_settings(*, examples: int, steps: int) -> settings:
    """The settings of a state machine.

    Args:
        examples: how many stories the suite tries; the nightly profile has its own number.
        steps: the length of the longest.
    """
    if PROFILE == "nightly":
        return settings(settings.get_profile(PROFILE), stateful_step_count=steps)
    return settings(settings.get_profile(PROFILE), max_examples=examples, stateful_step_count=steps)
