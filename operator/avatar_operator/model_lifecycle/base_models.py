"""How statuses name a base model: its source and the beginning of its digest, which decides."""

from avatar_api.avatar_runtime import BaseModelSource
from avatar_api.documents.training import BaseModelReference

DIGITS = 12


def base_model_word(base: BaseModelSource | BaseModelReference) -> str:
    """`<source>@<first digits of its SHA-256>`."""
    return f"{base.source}@{base.sha256[:DIGITS]}"


def is_same_base(word: str, base: BaseModelSource) -> bool:
    """Whether a status means this base: the digest decides, wherever the base lies by now."""
    return word.rpartition("@")[2] == base.sha256[:DIGITS]
