"""Who has a place and who waits, told from what the cache shows and what passes ask, one change after the other."""

from collections.abc import Mapping
from typing import Any

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, Kind
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.quotas import NamespaceQuotas, model_quotas, request_quotas
from builders.manifests import model_manifest, request_manifest
from builders.objects import a_runtime

AT_WORK = {"observedGeneration": 1, "training": {"revision": 1, "attempt": 1, "inferenceId": "avm-1"}}
ENDED = {
    "observedGeneration": 1,
    "training": {
        "revision": 1,
        "attempt": 1,
        "inferenceId": "avm-1",
        "completionTime": "2026-11-25T12:00:00Z",
    },
}
ABANDONED = {"observedGeneration": 1, "training": {"revision": 1, "attempt": 1, "abandoned": 1}}
WAITING = {
    "observedGeneration": 1,
    "conditions": [{"type": "Trained", "status": "False", "reason": "WaitingForQuota"}],
}
REFUSED = {
    "observedGeneration": 1,
    "conditions": [{"type": "Accepted", "status": "False", "reason": "LimitExceeded"}],
}
DRAWING = {"observedGeneration": 1, "runtimeName": "standard", "model": {"name": "ann"}}


class Accounts:
    """A cache, the quotas that follow it, and who was brought back because of them."""

    def __init__(self, kind: Kind = AVATAR_MODEL, *, quota: int = 1) -> None:
        self.kind = kind
        self.cache = ObjectCache()
        self.brought_back: list[str] = []
        make = model_quotas if kind == AVATAR_MODEL else request_quotas
        self.quotas: NamespaceQuotas = make(self.cache, lambda key: self.brought_back.append(key.name))
        self.quota = quota
        self._version = 0
        self._bodies: dict[str, dict[str, Any]] = {}

    def show(
        self,
        name: str,
        status: Mapping[str, Any] | None = None,
        *,
        age: int = 0,
        going: bool = False,
        runtime: str = "standard",
        pictures: int = 1,
    ) -> None:
        """The cache takes a version of an object. Its uid is its name; the greater its age, the older it is."""
        self._version += 1
        spec: dict[str, Any]
        if self.kind == AVATAR_MODEL:
            manifest, spec = model_manifest(name=name), {"runtimeRef": {"name": runtime}}
        else:
            manifest, spec = request_manifest(name=name), {"prompts": [{"prompt": "sks"}] * pictures}
        metadata = {
            **manifest["metadata"],
            "uid": name,
            "resourceVersion": str(self._version),
            "creationTimestamp": f"2026-11-25T12:00:{59 - age:02}Z",
            **({"deletionTimestamp": "2026-11-25T13:00:00Z"} if going else {}),
        }
        self._bodies[name] = {
            **manifest,
            "metadata": metadata,
            "spec": {**manifest["spec"], **spec},
            **({} if status is None else {"status": status}),
        }
        self.cache.store(self.kind, self._bodies[name])

    def remove(self, name: str) -> None:
        """The cache takes its end."""
        self.cache.remove(self.kind, ObjectKey(self.kind.kind, "team-a", name), name)

    def asks(self, name: str, *, runtime: str = "standard") -> bool:
        """A pass of an object asks for its place."""
        field = "maxRunningTrainings" if self.kind == AVATAR_MODEL else "maxWaitingPictures"
        quotas = a_runtime(name=runtime, spec={"quotas": {field: self.quota}})
        return self.quotas.judge(self._bodies[name], quotas, lambda: True)


def test_a_promise_that_a_later_pass_does_not_use_is_somebody_elses() -> None:
    accounts = Accounts()
    for name in ("a", "b"):
        accounts.show(name, REFUSED)
    assert accounts.asks("a")
    assert not accounts.asks("b")

    accounts.quotas.stand_back("a")

    assert accounts.brought_back == ["b"]
    assert accounts.asks("b")


def test_a_promise_outlives_a_change_of_the_object_that_is_not_its_own() -> None:
    accounts = Accounts()
    for name in ("a", "b"):
        accounts.show(name, REFUSED)
    assert accounts.asks("a")
    # A finalizer was added, or somebody annotated it: the plan is not written yet.
    accounts.show("a", REFUSED)

    assert not accounts.asks("b")


def test_whoever_is_about_to_begin_anew_and_does_not_gives_its_place_back() -> None:
    accounts = Accounts()
    accounts.show("a", AT_WORK)
    accounts.quotas.stand_back("a")
    accounts.show("b", REFUSED)
    assert not accounts.asks("b")
    accounts.show("a", ABANDONED)
    assert not accounts.asks("b"), "its next attempt follows at once"
    # It was suspended in between.
    accounts.quotas.stand_back("a")

    assert accounts.brought_back == ["b"]
    assert accounts.asks("b")


def test_whoever_is_about_to_begin_anew_at_another_operator_has_no_promise_of_this_one() -> None:
    accounts = Accounts()
    accounts.show("a", AT_WORK)
    accounts.show("a", ABANDONED)
    accounts.show("b", REFUSED)

    assert accounts.asks("b")


def test_an_older_one_that_waits_by_its_status_comes_first_though_nobody_has_looked_at_it() -> None:
    accounts = Accounts()
    accounts.show("young", REFUSED)
    accounts.show("old", WAITING, age=9)

    assert not accounts.asks("young")
    assert accounts.asks("old")


def test_what_is_stored_anew_after_its_end_was_seen_has_not_been_looked_at() -> None:
    accounts = Accounts()
    accounts.show("old", WAITING, age=9)
    accounts.quotas.stand_back("old")
    accounts.remove("old")
    # etcd was restored from a backup.
    accounts.show("old", WAITING, age=9)
    accounts.show("young", REFUSED)

    assert not accounts.asks("young")


def test_what_has_left_the_cache_while_its_pass_went_on_is_promised_nothing() -> None:
    accounts = Accounts()
    for name in ("a", "b"):
        accounts.show(name, REFUSED)
    accounts.remove("a")

    assert accounts.asks("a"), "what it writes is refused anyway"
    assert accounts.asks("b")
    assert accounts.quotas.waiting() == 0


def test_a_training_that_ends_brings_back_the_oldest_and_each_that_begins_the_next() -> None:
    accounts = Accounts(quota=2)
    for name in ("a", "b"):
        accounts.show(name, AT_WORK)
    for age, name in enumerate(("third", "second", "first")):
        accounts.show(name, REFUSED, age=age)
        assert not accounts.asks(name)
    accounts.show("a", ENDED)
    assert accounts.brought_back == ["first"]
    accounts.show("b", ENDED)

    assert accounts.asks("first")
    assert accounts.brought_back == ["first", "first", "second"]
    assert accounts.quotas.waiting() == 2


def test_a_model_that_moves_to_another_runtime_leaves_its_place_with_the_former_one() -> None:
    accounts = Accounts()
    for name in ("a", "b"):
        accounts.show(name, REFUSED)
    assert accounts.asks("a")
    assert not accounts.asks("b")
    accounts.show("a", REFUSED, runtime="other")
    assert accounts.asks("a", runtime="other")

    assert accounts.brought_back == ["b"]
    assert accounts.asks("b")


def test_a_request_that_goes_takes_no_place_though_it_is_still_there() -> None:
    accounts = Accounts(AVATAR_REQUEST, quota=64)
    accounts.show("a", DRAWING, pictures=64)
    accounts.show("b", REFUSED, pictures=64)
    assert not accounts.asks("b")
    accounts.show("a", DRAWING, pictures=64, going=True)

    assert accounts.brought_back == ["b"]
    assert accounts.asks("b")


def test_a_promise_that_a_lowered_quota_takes_back_may_be_another_ones() -> None:
    accounts = Accounts(AVATAR_REQUEST, quota=90)
    accounts.show("busy", DRAWING, pictures=20)
    accounts.show("large", REFUSED, pictures=70)
    assert accounts.asks("large")
    accounts.show("small", REFUSED, pictures=30, age=9)
    assert not accounts.asks("small")
    accounts.quota = 64

    assert not accounts.asks("large")
    assert accounts.brought_back == ["small"]
    assert accounts.asks("small")
