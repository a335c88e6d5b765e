"""Read a safetensors file's header without trusting it, and without loading a byte of weights.

The format: 8 bytes of little-endian length, that many bytes of JSON, then the tensors' data
(huggingface/safetensors, README "Format"). A header may claim to be huge: its size is bounded before it is read.
"""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from avatar_workers.errors import WorkerFailure

MAX_HEADER_BYTES = 8 << 20
DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}


class TensorEntry(BaseModel):
    """What the header says of one tensor."""

    dtype: str
    shape: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=8)]
    data_offsets: tuple[int, int]


@dataclass(frozen=True)
class SafetensorsHeader:
    """Names, types and shapes of the tensors, and the file's free-form metadata."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]


_ENTRIES = TypeAdapter(dict[str, TensorEntry])
_METADATA = TypeAdapter(dict[str, str])


def read_safetensors_header(path: Path) -> SafetensorsHeader:
    """Parse the header, and check that it and the data fill the file exactly.

    Raises:
        WorkerFailure: ArtifactInvalid, for a file that is no safetensors, a type other than F32, F16 and BF16, or
            tensors that overlap, leave gaps or reach beyond the file.
    """
    file_bytes = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else file_bytes + 1
        if length > min(MAX_HEADER_BYTES, file_bytes - 8):
            raise _invalid("is no safetensors file (its header's length makes no sense)")
        text = file.read(length)
    try:
        document = json.loads(text)
        if not isinstance(document, dict):
            raise TypeError
        metadata = _METADATA.validate_python(document.pop("__metadata__", {}))
        tensors = _ENTRIES.validate_python(document)
    except (ValueError, TypeError, RecursionError, ValidationError) as error:
        raise _invalid("is no safetensors file (its header is not understood)") from error
    _check_layout(tensors, file_bytes - 8 - length)
    return SafetensorsHeader(tensors, metadata)


def _check_layout(tensors: dict[str, TensorEntry], data_bytes: int) -> None:
    position = 0
    for name, entry in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        if entry.dtype not in DTYPE_BYTES:
            raise _invalid(
                f"tensor {name[:128]!r} is of type {entry.dtype[:16]!r}; F32, F16 and BF16 are accepted"
            )
        begin, end = entry.data_offsets
        if begin != position or end - begin != math.prod(entry.shape) * DTYPE_BYTES[entry.dtype]:
            raise _invalid(f"tensor {name[:128]!r} does not lie where its shape says")
        position = end
    if position != data_bytes:
        raise _invalid("the tensors do not fill the file (is it cut off?)")


def _invalid(problem: str) -> WorkerFailure:
    return WorkerFailure("ArtifactInvalid", f"LoRA weights: {problem}")
