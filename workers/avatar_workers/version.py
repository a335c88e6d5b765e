"""The version that artifacts and logs are stamped with."""

from importlib.metadata import version

WORKER_VERSION = version("avatar-operator")
