"""What one namespace may have under way with an AvatarRuntime at a time.

Limits (`runtime_limits`) are about one object, and what is beyond them is refused. Quotas are about all objects of a
namespace together, and what is beyond them waits: it is not wrong, there is only too much of it just now.
"""

from typing import Annotated

from pydantic import Field

from avatar_api.schema_base import ApiModel


class Quotas(ApiModel):
    """What one namespace may have under way at a time. Absent: as much as it likes. What is beyond waits, the oldest first."""

    max_running_trainings: (
        Annotated[
            int,
            Field(
                ge=1,
                le=10000,
                description="Trainings of one namespace that are planned, queued or running. Absent: any number.",
            ),
        ]
        | None
    ) = None
    max_waiting_pictures: (
        Annotated[
            int,
            Field(
                ge=1,
                le=1000000,
                description="Pictures of one namespace's requests that are being drawn, all of a request's until it has ended:"
                " not below limits.inference.maxPictures. Absent: any number.",
            ),
        ]
        | None
    ) = None
