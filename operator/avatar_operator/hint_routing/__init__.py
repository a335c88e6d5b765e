"""From a notification to the object it is about, and to the next question about it.

`router` finds the object, `gone_objects` remembers those that were deleted, `outcome_reminders` asks for an outcome
whose notification may have got lost, `photo_arrivals` knows who waits for what is uploaded.
"""

from avatar_operator.hint_routing.router import HintRouter

__all__ = ["HintRouter"]
