"""Which backend serves a runtime: the one member of its union."""

from collections.abc import Mapping
from dataclasses import dataclass

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.compute import Compute
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.storage import Storage

UNKNOWN = "unknown"


def backend_name(runtime: AvatarRuntime) -> str:
    """The member of the union that is set, for metrics too; "unknown" if a newer version's API added it."""
    for name in type(runtime.spec.backend).model_fields:
        if getattr(runtime.spec.backend, name) is not None:
            return name
    return UNKNOWN


@dataclass(frozen=True)
class Backend:
    """A place that keeps things, and one that works with them."""

    storage: Storage
    compute: Compute


@dataclass(frozen=True)
class Backends:
    """The backends of this process, by name."""

    by_name: Mapping[str, Backend]

    def of(self, runtime: AvatarRuntime) -> Backend:
        """The backend that serves a runtime.

        Raises:
            BackendError: UnsupportedBackend. Never another backend in its place: whoever wants to be trained must not
                be told a simulation's fairy tales.
        """
        backend = self.by_name.get(backend_name(runtime))
        if backend is None:
            known = ", ".join(sorted(self.by_name))
            raise BackendError(
                "UnsupportedBackend",
                f"this version of the operator does not know the spec.backend of AvatarRuntime {runtime.metadata.name}:"
                f" it knows {known}. Update the operator, or use one of these.",
                # Whoever already works with it waits for a version that knows it: this one may be a rollback.
                retryable=True,
            )
        return backend
