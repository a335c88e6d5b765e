"""The models on an instance's disk: fetched from S3, unpacked, and deleted when the disk's budget is spent.

A model that was unloaded stays on disk, so that it comes back without S3; AWS deletes unused ones when the volume is full.
"""

from __future__ import annotations

import shutil
import threading
import time

from sagemaker_local.errors import validation_error
from sagemaker_local.instances.archives import BadArchive, unpack
from sagemaker_local.instances.instance import Instance
from sagemaker_local.instances.model_data import MAX_MODEL_ARCHIVE_BYTES, not_an_archive
from sagemaker_local.multi_model.model_metrics import ModelMetrics
from sagemaker_local.multi_model.residency import Residency, Resident, opaque_name
from sagemaker_local.s3_objects import S3Failure, S3Location, S3Objects


class ModelDisk:
    """One instance's models on disk.

    Arguments:
        prefix: the S3 prefix below which TargetModel names artifacts.
        budget: bytes of unpacked models to keep; unused ones are deleted beyond it.
        residency: which models are there; guarded by `changed`.
    """

    def __init__(
        self,
        instance: Instance,
        objects: S3Objects,
        prefix: S3Location,
        budget: int,
        residency: Residency,
        changed: threading.Condition,
        metrics: ModelMetrics,
    ) -> None:
        self._instance = instance
        self._objects = objects
        self._prefix = prefix
        self._budget = budget
        self._residency = residency
        self._changed = changed
        self._metrics = metrics

    def download(self, model: Resident) -> None:
        """Fetch and unpack a model, and delete others if that is too much.

        Raises:
            AwsError: ValidationError when there is no such artifact, or it is not an archive.
        """
        name = opaque_name(model.target)
        directory = self._instance.models_dir / name
        archive = self._instance.directory / "tmp" / f"{name}.tar.gz"
        location = S3Location(
            self._prefix.bucket, f"{self._prefix.key.rstrip('/')}/{model.target}".lstrip("/")
        )
        began = time.monotonic()
        try:
            self._objects.download(location, archive, MAX_MODEL_ARCHIVE_BYTES)
            size = unpack(archive, directory / "model")
        except S3Failure as error:
            raise validation_error(
                f"Failed to download model data(bucket: {location.bucket}, key: {location.key}). Please ensure that there is an "
                "object located at the URL and that the role passed to CreateModel has permissions to download the model."
            ) from error
        except BadArchive as error:
            shutil.rmtree(directory, ignore_errors=True)
            raise validation_error(not_an_archive(str(location), error)) from error
        finally:
            archive.unlink(missing_ok=True)
        self._metrics.downloaded(time.monotonic() - began)
        with self._changed:
            for other in self._residency.to_delete_from_disk(self._budget, size):
                self.delete(other)
            model.disk_bytes = size

    def delete(self, model: Resident) -> None:
        """Remove a model's files. The caller holds the lock: nobody may begin to use the model meanwhile."""
        model.disk_bytes = None
        shutil.rmtree(self._instance.models_dir / opaque_name(model.target), ignore_errors=True)
        self._residency.forget_if_absent(model)
