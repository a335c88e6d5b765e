"""Which backend serves a runtime: its own or none."""

import pytest

from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends, backend_name
from builders.backend import ScriptedBackend, backends_of
from builders.manifests import SIMULATED
from builders.objects import a_runtime

FROM_THE_FUTURE = a_runtime(spec={"backend": {"sagemaker": None, "quantum": {"qubits": 3}}})


@pytest.mark.parametrize(
    ("runtime", "name"),
    [
        (a_runtime(), "sagemaker"),
        (a_runtime(spec={"backend": SIMULATED}), "simulated"),
        (FROM_THE_FUTURE, "unknown"),
    ],
    ids=["sagemaker", "simulated", "unknown"],
)
def test_a_backend_is_called_as_the_member_that_is_set(runtime: object, name: str) -> None:
    assert backend_name(runtime) == name  # type: ignore[arg-type]


def test_a_backend_that_this_version_does_not_know_is_refused() -> None:
    with pytest.raises(BackendError) as caught:
        backends_of(ScriptedBackend()).of(FROM_THE_FUTURE)
    assert (caught.value.reason, caught.value.retryable) == ("UnsupportedBackend", True)
    assert "AvatarRuntime standard" in caught.value.message
    assert "sagemaker, simulated" in caught.value.message


def test_a_backend_that_this_process_was_not_given_is_refused() -> None:
    with pytest.raises(BackendError, match=r"spec\.backend of AvatarRuntime standard"):
        Backends({}).of(a_runtime())
