"""The models of one instance, with an in-memory container in place of the process and of S3."""

from __future__ import annotations

import io
import json
import random
import tarfile
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from sagemaker_local.aws_clients import Scope
from sagemaker_local.clock import Clock, Scheduler
from sagemaker_local.errors import AwsError
from sagemaker_local.instances.container_http import ContainerAnswer
from sagemaker_local.instances.container_spec import Placement
from sagemaker_local.instances.instance import Instance, State
from sagemaker_local.metric_publishing import Metric, MetricPublisher
from sagemaker_local.multi_model.model_metrics import ModelMetrics
from sagemaker_local.multi_model.residency import opaque_name
from sagemaker_local.multi_model.store import Holding, ModelStore
from sagemaker_local.realtime.invocation_metrics import ModelTime
from sagemaker_local.s3_objects import S3Location, S3Objects


class FakeS3:
    """Every key exists; its archive holds the key in a file of 100 bytes."""

    def __init__(self) -> None:
        self.downloads: list[str] = []

    def download(self, location: S3Location, target: Path, limit: int) -> int:
        self.downloads.append(location.key)
        with tarfile.open(target, "w:gz", compresslevel=1) as tar:
            member = tarfile.TarInfo("model.txt")
            member.size = 100
            tar.addfile(member, io.BytesIO(location.key.encode().ljust(100)))
        return target.stat().st_size


class FakeInstance:
    """A container with a few slots; stands where an Instance and its process would be."""

    def __init__(self, directory: Path, slots: int) -> None:
        self.state = State.IN_SERVICE
        self.directory = directory
        self.models_dir = directory / "models"
        (directory / "tmp").mkdir(parents=True)
        self.placement = Placement(Scope("123456789012", "us-east-1", "test"), "endpoint", "variant")
        self.log_stream_arn = "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s"
        self.slots = slots
        self.loaded: dict[str, str] = {}
        self.loads = 0
        self.during_invoke: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def call(self, method: str, path: str, *, body: bytes | None = None, **_: Any) -> ContainerAnswer:
        name = path.removeprefix("/models").strip("/").removesuffix("/invoke")
        if path == "/models":
            return self._load(body or b"")
        with self._lock:
            if method == "DELETE":
                return answer(200 if self.loaded.pop(name, None) else 404)
            text = self.loaded.get(name)
        if text is None:
            return answer(404)
        self.during_invoke()
        return answer(200, text.encode())

    def _load(self, body: bytes) -> ContainerAnswer:
        request: Mapping[str, str] = json.loads(body)
        with self._lock:
            if request["model_name"] in self.loaded:
                return answer(409)
            if len(self.loaded) >= self.slots:
                return answer(507)
            self.loaded[request["model_name"]] = Path(request["url"], "model.txt").read_text().strip()
            self.loads += 1
            return answer(200)


def answer(status: int, body: bytes = b"") -> ContainerAnswer:
    return ContainerAnswer(status, {"content-length": str(len(body))}, body)


class RecordedSamples:
    """Stands where CloudWatch would be."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    def record(self, scope: Scope, metric: Metric, value: float) -> None:
        with self._lock:
            self.values[f"{metric.namespace} {metric.name} {metric.unit}"].append(value)


class ManualScheduler:
    """Runs what is due when it is told to."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.due.append(action)

    def run(self) -> None:
        due, self.due = self.due, []
        for action in due:
            action()


def store_of(
    instance: FakeInstance,
    s3: FakeS3,
    samples: RecordedSamples | None = None,
    scheduler: ManualScheduler | None = None,
    **options: Any,
) -> ModelStore:
    metrics = ModelMetrics(
        cast(MetricPublisher, samples or RecordedSamples()),
        cast(Scheduler, scheduler or ManualScheduler()),
        Clock(),
        instance.placement,
    )
    return ModelStore(
        cast(Instance, instance),
        cast(S3Objects, s3),
        Clock(),
        S3Location("bucket", "models"),
        metrics,
        **options,
    )


def test_no_answer_ever_comes_from_another_model_and_loads_follow_an_lru_on_paper(tmp_path: Path) -> None:
    instance, s3 = FakeInstance(tmp_path, slots=20), FakeS3()
    store = store_of(instance, s3)
    paper: OrderedDict[str, None] = OrderedDict()
    loads_on_paper = 0
    zipf = [1 / rank for rank in range(1, 101)]
    for target in random.Random(5).choices([f"user-{number}.tar.gz" for number in range(100)], zipf, k=1_000):
        assert store.invoke(target, {}, b"", ModelTime()).body.decode() == f"models/{target}"
        loads_on_paper += target not in paper
        paper[target] = None
        paper.move_to_end(target)
        if len(paper) > 20:
            paper.popitem(last=False)
    assert instance.loads == loads_on_paper
    assert len(s3.downloads) == len(set(s3.downloads))


def test_many_threads_on_few_slots_all_get_their_own_model(tmp_path: Path) -> None:
    instance = FakeInstance(tmp_path, slots=2)
    store = store_of(instance, FakeS3())
    targets = [f"{number}.tar.gz" for number in range(6)] * 20
    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(
            pool.map(lambda target: store.invoke(target, {}, b"", ModelTime()).body.decode(), targets)
        )
    assert answers == [f"models/{target}" for target in targets]
    assert len(instance.loaded) <= 2


def test_a_model_that_the_container_already_has_is_used(tmp_path: Path) -> None:
    instance = FakeInstance(tmp_path, slots=1)
    instance.loaded[opaque_name("a.tar.gz")] = "loaded before"
    assert store_of(instance, FakeS3()).invoke("a.tar.gz", {}, b"", ModelTime()).body == b"loaded before"
    assert instance.loads == 0


def test_a_model_that_is_not_listed_is_not_loaded(tmp_path: Path) -> None:
    store = store_of(FakeInstance(tmp_path, slots=2), FakeS3())
    for target in ("a.tar.gz", "b.tar.gz"):
        store.invoke(target, {}, b"", ModelTime())
    store.expect_listing()(frozenset({opaque_name("b.tar.gz")}))
    assert [store.holds(target).loaded for target in ("a.tar.gz", "b.tar.gz")] == [False, True]


def test_a_listing_from_before_a_load_says_nothing_about_it(tmp_path: Path) -> None:
    store = store_of(FakeInstance(tmp_path, slots=2), FakeS3())
    judge = store.expect_listing()
    store.invoke("a.tar.gz", {}, b"", ModelTime())
    judge(frozenset())
    assert store.holds("a.tar.gz").loaded


def test_a_model_in_use_is_not_evicted_for_another(tmp_path: Path) -> None:
    instance = FakeInstance(tmp_path, slots=1)
    store = store_of(instance, FakeS3())
    entered, leave = threading.Event(), threading.Event()

    def block() -> None:
        entered.set()
        leave.wait(60)

    instance.during_invoke = block
    first = threading.Thread(target=store.invoke, args=("busy.tar.gz", {}, b"", ModelTime()))
    first.start()
    assert entered.wait(60)
    instance.during_invoke = lambda: None
    second = threading.Thread(target=store.invoke, args=("next.tar.gz", {}, b"", ModelTime()))
    second.start()
    assert store.holds("busy.tar.gz") == Holding(loaded=True, on_disk=True, requests=1)
    leave.set()
    first.join(60)
    second.join(60)
    assert list(instance.loaded.values()) == ["models/next.tar.gz"]


def test_unused_models_leave_the_disk_when_it_is_full(tmp_path: Path) -> None:
    instance, s3 = FakeInstance(tmp_path, slots=1), FakeS3()
    store = store_of(instance, s3, disk_budget=250)
    for target in ("a.tar.gz", "b.tar.gz", "c.tar.gz"):
        store.invoke(target, {}, b"", ModelTime())
    assert store.holds("a.tar.gz") == Holding(loaded=False, on_disk=False, requests=0)
    assert len(list(instance.models_dir.iterdir())) == 2
    store.invoke("a.tar.gz", {}, b"", ModelTime())
    assert s3.downloads.count("models/a.tar.gz") == 2


def test_a_model_that_alone_is_too_large_is_a_model_error(tmp_path: Path) -> None:
    store = store_of(FakeInstance(tmp_path, slots=0), FakeS3())
    with pytest.raises(AwsError) as error:
        store.invoke("a.tar.gz", {}, b"", ModelTime())
    assert (error.value.code, error.value.fields["OriginalStatusCode"]) == ("ModelError", 507)


def test_each_invocation_is_a_cache_hit_or_miss_and_each_step_of_a_load_is_timed(tmp_path: Path) -> None:
    samples = RecordedSamples()
    store = store_of(FakeInstance(tmp_path, slots=1), FakeS3(), samples)
    for target in ("a.tar.gz", "a.tar.gz", "b.tar.gz", "a.tar.gz"):
        store.invoke(target, {}, b"", ModelTime())
    counted = {name: len(values) for name, values in samples.values.items()}
    assert samples.values["AWS/SageMaker ModelCacheHit None"] == [0, 1, 0, 0]
    assert counted == {
        "AWS/SageMaker ModelCacheHit None": 4,
        "AWS/SageMaker ModelLoadingWaitTime Microseconds": 3,
        "AWS/SageMaker ModelDownloadingTime Microseconds": 2,
        "AWS/SageMaker ModelLoadingTime Microseconds": 3,
        "AWS/SageMaker ModelUnloadingTime Microseconds": 2,
    }


def test_loaded_models_are_counted_once_a_minute_and_only_after_traffic(tmp_path: Path) -> None:
    samples, scheduler = RecordedSamples(), ManualScheduler()
    store = store_of(FakeInstance(tmp_path, slots=5), FakeS3(), samples, scheduler)
    for target in ("a.tar.gz", "b.tar.gz", "a.tar.gz"):
        store.invoke(target, {}, b"", ModelTime())
    assert len(scheduler.due) == 1
    scheduler.run()
    assert samples.values["/aws/sagemaker/Endpoints LoadedModelCount None"] == [2]
    assert scheduler.due == []
    store.invoke("c.tar.gz", {}, b"", ModelTime())
    scheduler.run()
    assert samples.values["/aws/sagemaker/Endpoints LoadedModelCount None"] == [2, 3]
