"""Defects: an exception that nobody expected, told to people.

Its text may hold anything that the code had in hands, a credential or somebody's prompt, and what stands in a status is
read by more people than the log. So its class is told, and where to look.
"""

from avatar_operator.core.decision import Retry


def defect(error: Exception) -> Retry:
    """What is said of an exception that nobody expected."""
    return Retry(
        "Defect",
        f"The operator failed in a way that it should not ({type(error).__name__}); its log says where. Please report it.",
    )
