"""What becomes of stored data when the object that made it is deleted."""

from typing import Literal

DeletionPolicy = Literal["Delete", "Retain"]
