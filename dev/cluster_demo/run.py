"""`make cluster-demo` from its first line to its last."""

from __future__ import annotations

import shutil
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from avatar_demo.aws_account import AwsAccount, set_up_account
from avatar_demo.comparison import compare_with_base
from avatar_demo.example import (
    FILES,
    apply_example,
    example_photos,
    load_example,
    namespace_of,
    upload_photos,
)
from avatar_demo.live_view import stamped, view_for
from avatar_demo.narration import duration
from avatar_demo.observation import Observer, Snapshot
from avatar_demo.report import print_outcome
from avatar_demo.settings import BASE_MODEL, EXAMPLE
from avatar_demo.watching import Watch
from cluster_demo.evidence import write_evidence
from cluster_demo.mounted_workers import chart_values, manifest, mounted_folders
from cluster_demo.node_images import NAMES, import_image, write_image
from cluster_demo.release import NAMESPACE, Release
from local_cluster import chart_tools
from local_cluster.errors import LocalClusterError
from local_cluster.helm import Helm
from local_cluster.node.cluster import NodeCluster
from synthetic_people import Photo

_HELM_SECONDS = 150.0
"""More than it may wait for Pods itself, so that it is Helm who says what was not ready."""


class ClusterRun:
    """One run, on a node that lives as long as it does.

    Args:
        state: folder of everything that it writes; absolute.
        console: what people read.
        timeout: seconds that the whole run may take.

    Attributes:
        logs: where to look if it failed.
    """

    def __init__(self, state: Path, console: Console, timeout: float) -> None:
        self._state = state
        self._console = console
        self._timeout = timeout
        self.logs = state / "cluster"
        self._started = time.monotonic()

    @property
    def contact_sheet(self) -> Path:
        """The picture that it ends with."""
        return self._state / "contact-sheet.png"

    @property
    def evidence(self) -> Path:
        """What was found in the cluster when the run failed."""
        return self._state / "evidence"

    def run(self) -> None:
        """Go the whole way; when it returns or raises, the node is gone.

        Raises:
            DemoError, LocalClusterError, ImageError, OSError, botocore's and Kubernetes' errors: it did not come to its end. What
                Pods said is in `evidence`, if there were any.
            KeyboardInterrupt: likewise, without evidence.
        """
        cluster = NodeCluster(self._state / "cluster", report=self._say)
        program = chart_tools.ensure(self._say).helm
        with tempfile.TemporaryDirectory(prefix="cluster-demo-") as room, ThreadPoolExecutor(2) as pool:
            helm = Helm(program, Path(room), _HELM_SECONDS)
            images = {name: pool.submit(write_image, name, Path(room)) for name in NAMES}
            try:
                self._start_node(cluster)
                try:
                    shutil.rmtree(self.evidence, ignore_errors=True)
                    self._on_the_node(cluster, Release(cluster, helm), images)
                finally:
                    cluster.stop()
                    self._say("the node is gone")
            finally:
                for image in images.values():
                    image.cancel()
        self._print(
            f"\nFrom photos to pictures, in Pods, in {duration(time.monotonic() - self._started)}."
            f" Look at {self.contact_sheet}"
        )

    def _start_node(self, cluster: NodeCluster) -> None:
        if not cluster.start():
            raise LocalClusterError(
                f"a node runs in {self._state / 'cluster'} already: a demo's that is under way. Wait for its end, or choose another"
                " --state-dir"
            )
        self._say("the node is Ready: etcd, kube-apiserver, containerd, kubelet and the rest")

    def _on_the_node(self, cluster: NodeCluster, release: Release, images: dict[str, Future[Path]]) -> None:
        try:
            self._install(cluster, release, images)
            aws = AwsAccount(release.aws_url())
            snapshot, observer, photos = self._go_the_way(cluster, aws)
            self._say("drawing the same prompts with the base, on an endpoint of its own")
            comparison = compare_with_base(aws, snapshot, photos)
        except Exception:
            write_evidence(cluster, self.evidence)
            self.logs = self.evidence
            raise
        comparison.sheet.save(self.contact_sheet)
        self._say(comparison.sentence)
        self._print("\n$ kubectl get pods -A")
        self._print(cluster.kubectl("get", "pods", "--all-namespaces").rstrip())
        print_outcome(self._console, cluster, observer, snapshot)

    def _install(self, cluster: NodeCluster, release: Release, images: dict[str, Future[Path]]) -> None:
        for name, image in images.items():
            import_image(cluster, image.result())
            self._say(f"the image {name} is made of these sources, and on the node")
        cluster.apply_restricted_namespace(NAMESPACE)
        release.install()
        self._say(
            f"the chart is installed: two operators run in {NAMESPACE}, which takes restricted Pods alone"
        )
        folders = mounted_folders()
        cluster.apply_manifest(manifest(folders, NAMESPACE))
        release.add_demo(chart_values(folders))
        self._say(
            "the chart's demo is there: sagemaker-local runs, with the workers of this checkout, and a runtime is Ready"
        )

    def _go_the_way(self, cluster: NodeCluster, aws: AwsAccount) -> tuple[Snapshot, Observer, list[Photo]]:
        namespace = namespace_of(EXAMPLE)
        resources = set_up_account(aws, BASE_MODEL, namespace)
        self._say(f"bucket, topics and queues are there; base model {resources.base_sha256[:12]} is uploaded")
        example = load_example(EXAMPLE, resources.placeholders())
        photos = example_photos()
        upload_photos(aws, example.photos_prefix, photos)
        self._say(f"{len(photos)} photos of one person are uploaded to {example.photos_prefix}")
        cluster.create_namespace(namespace)
        apply_example(cluster, example)
        self._say(f"applied {', '.join(FILES)} of examples/{EXAMPLE.name}")
        observer = Observer(cluster.admin_kubeconfig, aws, example, resources.narrators_queue_url)
        snapshot = Watch(
            observer=observer,
            view=view_for(self._console, self._started),
            started=self._started,
            timeout=self._timeout,
        ).to_the_end()
        return snapshot, observer, photos

    def _say(self, line: str) -> None:
        self._print(stamped(self._started, line))

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
