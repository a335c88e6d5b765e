"""Reading a document that somebody else wrote: strictly, with one error, and with a sentence that says what is wrong.

Whoever reads has bounded the size before; what is left to bound is what stands inside. Types are taken at their word
(`true` is no revision, "7" no count). A name that stands twice in one object is refused: two readers may take different
ones, and each would be right. NaN and Infinity are no JSON, wherever they stand. Nesting ends where the parsers end it.
"""

import json
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

Document = TypeVar("Document", bound=BaseModel)
MAX_NAMED_FIELDS = 5


class UnreadableDocument(ValueError):
    """The content is no document of the type that was asked for. The message names the fields and what is wrong with each."""


def parse_document(document: type[Document], content: str | bytes) -> Document:
    """Read a document.

    Args:
        document: the type that the content must be.
        content: JSON, of a size that somebody has bounded.

    Raises:
        UnreadableDocument: it is none.
    """
    try:
        json.loads(content, object_pairs_hook=_named_once, parse_constant=_no_number)
        return document.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise UnreadableDocument(f"{document.__name__}: {_faults(error)}") from error
    except json.JSONDecodeError as error:
        raise UnreadableDocument(f"{document.__name__}: body: Invalid JSON: {error}") from error
    except RecursionError as error:
        raise UnreadableDocument(f"{document.__name__}: body: nested too deeply") from error
    except ValueError as error:
        raise UnreadableDocument(f"{document.__name__}: body: {error}") from error


def _named_once(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members = list(members)
    named = dict(members)
    if len(named) < len(members):
        raise ValueError("a name stands twice in one object")
    return named


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    problems = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in faults[:MAX_NAMED_FIELDS]
    ]
    if len(faults) > MAX_NAMED_FIELDS:
        problems.append(f"and {len(faults) - MAX_NAMED_FIELDS} more")
    return "; ".join(problems)
