"""Images on the node: they come from OCI archives, as `container_images` writes them, and from nowhere else."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from container_images.dockerfile import ImageWords
from container_images.oci_archive import Layer, write_archive
from local_cluster.errors import LocalClusterError, one_line
from local_cluster.node.configuration import PAUSE_IMAGE

__all__ = ["import_archive", "write_pause_image"]

_IMPORT_SECONDS = 300.0
# kubelet sees the images of this namespace alone.
_NAMESPACE = "k8s.io"


def write_pause_image(pause: Path, archive: Path) -> None:
    """Write the image that holds a Pod's namespaces: one program, and nobody's rights.

    Args:
        pause: the program, which needs no library.
        archive: the file to write.
    """
    with tempfile.TemporaryDirectory(dir=archive.parent) as room:
        content = Path(room) / "content"
        content.mkdir()
        shutil.copy(pause, content / "pause")
        layer = Layer.of_folder(content, Path(room) / "layer.tar")
        words = ImageWords(user="65532:65532", entrypoint=["/pause"], environment={}, labels={}, ports=[])
        write_archive(archive, f"docker.io/{PAUSE_IMAGE}", [layer], words)


def import_archive(socket: Path, archive: Path) -> None:
    """Give an image to containerd under the name that its archive says.

    Raises:
        LocalClusterError: containerd refuses it.
    """
    command = ["ctr", f"--address={socket}", f"--namespace={_NAMESPACE}", "images", "import", str(archive)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_IMPORT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise LocalClusterError(f"importing {archive} took longer than {_IMPORT_SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise LocalClusterError(f"containerd does not take {archive}: {one_line(done.stderr)}")
