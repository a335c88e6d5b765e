"""`make cluster-demo` from its first line to its last."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
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
from avatar_demo.observation import Observer
from avatar_demo.report import print_outcome
from avatar_demo.settings import BASE_MODEL, EXAMPLE
from avatar_demo.watching import Watch
from cluster_demo.mounted_workers import chart_values, manifest, mounted_folders
from cluster_demo.node_images import NAMES, import_image, write_image
from cluster_demo.release import NAMESPACE, Release
from local_cluster import chart_tools
from local_cluster.node.cluster import NodeCluster


class Run:
    def __init__(self, state: Path, console: Console, timeout: float) -> None:
        self._state = state
        self._console = console
        self._timeout = timeout
        self._started = time.monotonic()

    def run(self) -> None:
        helm = chart_tools.ensure(self._say).helm
        cluster = NodeCluster(self._state / "cluster", report=self._say)
        with tempfile.TemporaryDirectory(prefix="cluster-demo-") as room, ThreadPoolExecutor(2) as pool:
            images = [pool.submit(write_image, name, Path(room)) for name in NAMES]
            with cluster:
                self._say("the node is Ready")
                for image in images:
                    import_image(cluster, image.result())
                self._say("images imported")
                release = Release(cluster, helm, Path(room))
                release.make_namespace()
                release.install()
                self._say("installed")
                folders = mounted_folders()
                cluster.apply_manifest(manifest(folders, NAMESPACE))
                release.add_demo(chart_values(folders, 1))
                url = release.aws_url()
                self._say(f"demo added: {url}")
                aws = AwsAccount(url)
                namespace = namespace_of(EXAMPLE)
                resources = set_up_account(aws, BASE_MODEL, namespace)
                example = load_example(EXAMPLE, resources.placeholders())
                photos = example_photos()
                upload_photos(aws, example.photos_prefix, photos)
                cluster.create_namespace(namespace)
                apply_example(cluster, example)
                self._say(f"applied {', '.join(FILES)} of examples/{EXAMPLE.name}")
                observer = Observer(cluster.admin_kubeconfig, aws, example, resources.application_queue_url)
                snapshot = Watch(
                    observer=observer,
                    view=view_for(self._console, self._started),
                    deadline=self._started + self._timeout,
                    timeout=self._timeout,
                    look_around=lambda: None,
                ).to_the_end()
                self._say("drawing the same prompts with the base, on an endpoint of its own")
                comparison = compare_with_base(aws, snapshot, photos)
                comparison.sheet.save(self._state / "contact-sheet.png")
                self._say(comparison.sentence)
                print_outcome(self._console, cluster, observer, snapshot)
        self._say("done")

    def _say(self, line: str) -> None:
        self._console.print(stamped(self._started, line), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    import sys
    Run(Path(sys.argv[1]).absolute(), Console(), 600).run()
