"""Words of a status that a newer version may add to.

Two versions of the operator meet in every upgrade and in every roll-back, and a status is the one thing that both
write. The schema stays closed, so that no version writes a word that the CRDs beside it do not know. Reading is open:
an operator that cannot read a status can neither go on with its object nor let go of it.

To type checkers a field keeps its closed type, because that is what we may write. Who reads compares with the words
it knows, and must not take for granted that it has named them all.
"""

from typing import Annotated, Any, TypeVar

from pydantic import PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator

Words = TypeVar("Words", bound=str)


def _any_word(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, str) else handler(value)


Open = Annotated[Words, WrapValidator(_any_word), PlainSerializer(str, return_type=str)]
"""One of some words, or on reading any other."""
