"""What nobody outside the platform may read in a text that somebody else wrote, found by its kind and taken out. Pure.

A secret is told from a word by its shape alone: nobody labels what slips out. So each kind has a pattern that is the same
wherever in a text it stands, glued to other words or not. AWS's secret keys and session tokens are long runs of base64 in
both cases; what is rarely written by people (40 such characters, or 32 with digits and without a slash) counts as one. Entropy
is not measured: joining a secret to something dull would hide it, and adding characters to a run never takes one away.
No pattern takes longer than the text is long: whoever writes it must not hold the operator up.

Scanners of source code (detect-secrets is the best kept) look for labels and quotes, and for public addresses only.

What helps stays: file names, numbers, uids, SHA-256 digests, names of models and fields. So it is with a presigned URL's
bare signature, which looks like a digest and opens nothing without the URL. Whoever encodes what it knows gets it through.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

WITHHELD = "(withheld)"
"""Short, because it may stand in a sentence more than once."""
_INVISIBLE = {"Cc", "Cf"}
_DIGEST = r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])"
_UID = r"(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])"
_ROOTS = "app|code|data|dev|etc|home|input|mnt|opt|output|proc|root|run|srv|sys|tmp|usr|var|workspace"
_PUBLIC_ENDINGS = "ai|app|aws|cloud|cn|co|com|corp|de|dev|edu|eu|fr|gov|io|jp|lan|me|net|org|uk|us"


def redacted(words: str) -> str:
    """The words in one line, without what must not be read in them, and without the places that objects lie in.

    Args:
        words: what somebody else wrote.

    Returns:
        The words as they are, but for their white space, if there is nothing to take out.
    """
    line = " ".join(words.split())
    apparent = " ".join(as_it_appears(line).split())
    told = apparent
    for kind in KINDS:
        told = kind.pattern.sub(kind.instead, told)
    return line if told == apparent else told


def as_it_appears(text: str) -> str:
    """A text as its reader sees it: full-width letters are letters, and there is nothing that nobody sees."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(each for each in composed if unicodedata.category(each) not in _INVISIBLE)


def _withheld(_: re.Match[str]) -> str:
    return WITHHELD


def _nothing(_: re.Match[str]) -> str:
    return ""


def _unless_it_helps(found: re.Match[str]) -> str:
    return found["helps"] or WITHHELD


def _if_in_both_cases(found: re.Match[str]) -> str:
    run = found[0]
    return run if run.upper() == run or run.lower() == run else WITHHELD


def _if_in_both_cases_and_digits(found: re.Match[str]) -> str:
    return _if_in_both_cases(found) if any(each.isdigit() for each in found[0]) else found[0]


def _if_an_address(found: re.Match[str]) -> str:
    try:
        IPv6Address(found[0])
    except AddressValueError:
        return found[0]
    return WITHHELD


@dataclass(frozen=True)
class Kind:
    """Something that is taken out.

    Attributes:
        name: what it is.
        pattern: what it looks like.
        instead: what is told in its place.
    """

    name: str
    pattern: re.Pattern[str]
    instead: Callable[[re.Match[str]], str] = _withheld


KINDS = (
    Kind("where an object lies, up to its name", re.compile(r"s3://[^\s?]*/(?=[^\s/])"), _nothing),
    Kind(
        "an AWS secret key, a session token",
        re.compile(r"[A-Za-z0-9+/%\\]{40,}={0,2}"),
        _if_in_both_cases,
    ),
    Kind("a token of another service", re.compile(r"[A-Za-z0-9]{32,}={0,2}"), _if_in_both_cases_and_digits),
    Kind(
        "a token with its maker's mark",
        re.compile(
            r"(?:gh[oprsu]_|github_pat_|hf_|glpat-|xox[abprs]-)[\w-]{16,}"
            r"|(?<![\w-])(?=[\w-]*+\.[\w-])[\w-]*?eyJ[\w-]++\.[\w-]++(?:\.[\w-]*+)?"
        ),
    ),
    Kind(
        "an id of a key, a role or a user of AWS",
        re.compile(
            r"(?:A3T[A-Z0-9]|ABIA|ACCA|AGPA|AIDA|AIPA|AKIA|ANPA|ANVA|APKA|AROA|ASCA|ASIA)[A-Z0-9]{16,}", re.I
        ),
    ),
    Kind("a URL", re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,15}://\S+|://\S+")),
    Kind(
        "something that is called a secret, as in a signed URL",
        re.compile(
            r"(?<![\w-])[\w-]*?(?:(?:secret|passw(?:or)?d|signature|(?:api|access)[_-]?key(?:[_-]?id)?)[\"']?\s?[=:]"
            r"|(?:token|credentials?|session|auth)[\"']?\s?=)\s?[^\s&]+"
            r"|\bauthorization[\"']?\s?[=:]\s?[\"']?(?:[a-z0-9-]+ )?[^\s&]+"
            r"|\bbearer [\w.~+/=-]+",
            re.I,
        ),
    ),
    Kind(
        "an e-mail address",
        re.compile(
            r"(?<![\w.+%-])[\w.+%-]++@(?!\d+x\.(?:png|jpe?g|webp)\b)[\w-]++(?:\.[\w-]++)*+",
        ),
    ),
    Kind("an address of IPv4", re.compile(r"(?<!\d)(?!0\.0\.0\.0\b)\d++(?:\.\d+){3,}(?::\d+)?")),
    Kind(
        "an internal host",
        re.compile(
            r"(?<![\w.-])[\w.-]*?\.(?:internal|local|svc)[\w.-]*+(?::\d+)?"
            r"|ip-\d{1,3}(?:-\d{1,3}){3}(?:\.[\w-]++)*+"
            r"|\blocalhost\b|(?<![\w.-])[a-z][\w.-]*+:\d{2,5}\b(?!\.\d)"
        ),
    ),
    Kind(
        "a host",
        re.compile(
            rf"(?<![\w.-])(?!avatars\.dev/)[\w.-]*?\w\.(?:{_PUBLIC_ENDINGS})(?![\w-]|\.\w)(?::\d+)?", re.I
        ),
    ),
    Kind(
        "an address of IPv6",
        re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?<=::))(?![\w:])", re.I),
        _if_an_address,
    ),
    Kind(
        "a path in a container",
        re.compile(rf"~?(?:(?<![\w./])/(?=[\w.@~-]+/)|/(?=(?:{_ROOTS})/))[^\s\"'<>(),;]+|~/[^\s\"'<>(),;]+"),
    ),
    Kind(
        "an account of AWS",
        re.compile(
            rf"(?P<helps>{_UID}|{_DIGEST})|(?<!\d)\d{{12}}(?!\d)|(?<![\d-])\d{{4}}-\d{{4}}-\d{{4}}(?![\d-])"
        ),
        _unless_it_helps,
    ),
)
"""In the order in which they are taken out: what is long before what it may hold."""
