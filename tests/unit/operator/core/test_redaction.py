"""Whatever secret of a known kind stands wherever in a text does not come out of it; what helps does."""

from __future__ import annotations

import base64
import string
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avatar_operator.core.redaction import KINDS, WITHHELD, redacted

BASE64 = string.ascii_letters + string.digits + "+/"
LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
NUMBER = st.integers(0, 255).map(str)
PRIVATE = st.one_of(
    st.tuples(st.just("10"), NUMBER, NUMBER, NUMBER),
    st.tuples(st.just("172"), st.integers(16, 31).map(str), NUMBER, NUMBER),
    st.tuples(st.just("192"), st.just("168"), NUMBER, NUMBER),
)


def _is_in_both_cases(text: str) -> bool:
    return text.upper() != text != text.lower()


SECRET_KEYS = st.text(BASE64, min_size=40, max_size=40).filter(_is_in_both_cases)
SESSION_TOKENS = st.binary(min_size=120, max_size=500).map(
    lambda token: "IQoJb3JpZ2luX2Vj" + base64.b64encode(token).decode()
)
KEY_IDS = st.tuples(
    st.sampled_from(["AKIA", "ASIA", "AROA", "AIDA"]),
    st.text(string.ascii_uppercase + "234567", min_size=16, max_size=16),
).map("".join)
HOSTS = st.one_of(
    PRIVATE.map(lambda address: f"ip-{'-'.join(address)}.eu-west-1.compute.internal"),
    PRIVATE.map(lambda address: f"ip-{'-'.join(address)}"),
    st.tuples(LABEL, LABEL).map(lambda names: f"{names[0]}.{names[1]}.svc.cluster.local"),
    LABEL.map(lambda name: f"vault.{name}.internal"),
)
ADDRESSES = PRIVATE.map(".".join)
MAILS = st.tuples(LABEL, LABEL).map(lambda names: f"{names[0]}@{names[1]}.example")
PATHS = st.tuples(
    st.sampled_from(["/opt/ml/", "/var/run/secrets/", "/home/", "/root/.aws/", "/tmp/"]), LABEL
).map("".join)
SIGNED = st.tuples(LABEL, st.text("0123456789abcdef", min_size=64, max_size=64), SESSION_TOKENS).map(
    lambda parts: (
        f"https://photos.s3.eu-west-1.amazonaws.com/{parts[0]}?X-Amz-Security-Token={parts[2]}"
        f"&X-Amz-Signature={parts[1]}"
    )
)
ACCOUNTS = st.text(string.digits, min_size=12, max_size=12)
SECRETS = st.one_of(SECRET_KEYS, SESSION_TOKENS, KEY_IDS, HOSTS, ADDRESSES, MAILS, PATHS, SIGNED)
WORDS = st.one_of(st.text(max_size=60), st.text("s3:/.@-_=+%?&aZ9 ", max_size=30))
"""Anything; and what is a part of some pattern."""


def _apparent(text: str) -> str:
    composed = unicodedata.normalize("NFKC", " ".join(text.split()))
    return "".join(each for each in composed if unicodedata.category(each) not in ("Cc", "Cf"))


@settings(max_examples=2000)
@given(WORDS, SECRETS, WORDS)
@example("no access to s3://photos/ann", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "was given")
@example("1.", "10.0.0.1", ".2")
def test_a_secret_does_not_come_out_wherever_it_stands(before: str, secret: str, after: str) -> None:
    assert secret not in _apparent(redacted(before + secret + after))


@given(
    st.sampled_from([" ", "'", '"', "(", "=", ": ", ",", ";"]),
    SECRET_KEYS,
    st.sampled_from([" ", "'", '"', ")", ",", "."]),
)
def test_of_a_secret_key_between_other_words_no_part_comes_out(before: str, key: str, after: str) -> None:
    assert redacted(f"denied for{before}{key}{after} at last") in (
        f"denied for{before}{WITHHELD}{after} at last",
        f"denied for{before}{WITHHELD} at last",
    )


@pytest.mark.parametrize("before", ["db:", "tcp:", "host.of.it:", "::ffff:"])
def test_no_part_of_an_address_behind_a_name_comes_out(before: str) -> None:
    told = redacted(f"it cannot reach {before}172.16.254.9 now")
    assert not [part for part in ("172", "16", "254", "9") if part in told]


@given(ACCOUNTS, st.text(string.ascii_letters + string.punctuation + " ", max_size=20))
def test_the_number_of_an_account_does_not_come_out(account: str, around: str) -> None:
    assert account not in redacted(f"{around}{account}{around}")


FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@given(st.one_of(SECRET_KEYS, KEY_IDS, HOSTS, ADDRESSES, MAILS, PATHS))
def test_other_forms_of_the_same_letters_hide_nothing(secret: str) -> None:
    for disguised in (secret.translate(FULL_WIDTH), "\u200b".join(secret), "\u00ad".join(secret)):
        assert secret not in _apparent(redacted(f"it said {disguised} to me"))


@pytest.mark.parametrize(
    "secret",
    [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = short-one",
        'password": "hunter2"',
        "X-Amz-Signature=" + "ab" * 32,
        "AWSAccessKeyId=short&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D",
        "Bearer abc.def",
        "Authorization: Basic YW5uOmh1bnRlcjI=",
        'authorization": "Basic YW5uOmh1bnRlcjI="',
        "hf_abcdefghijklmnopqrstuvwxyzabcdefgh",
        "ghp_" + "a" * 36,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "http://169.254.170.2/v2/credentials",
        "file:///opt/ml/model",
        "minio:9000",
        "localhost",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "ann@example.org",
        "root@worker-7",
        "registry.example.com:5000",
        "/opt/ml/model/weights.safetensors",
        "/usr/lib/python3.11/site-packages/torch/nn.py",
        "~/.aws/credentials",
        "1234-5678-9012",
        "s3://bucket-without-a-name",
    ],
)
def test_each_is_taken_out_between_words_that_stay(secret: str) -> None:
    told = redacted(f"it cannot read {secret} now")
    assert told.startswith(f"it cannot read {WITHHELD}")
    assert told.endswith(" now")
    assert not [piece for piece in secret.split("&")[0].split("/") if len(piece) > 5 and piece in told]


@pytest.mark.parametrize(
    "words",
    [
        "photo IMG_20240101_120000.jpg has 4000×3000 pixels, more than 12 megapixels; shrink it",
        "PXL_20240101_120000123.MP.jpg, DSC_0001.JPG and WhatsApp Image 2024-01-01 at 12.00.00.jpeg",
        "3F2504E0-4F89-11D3-9A0C-0305E82C3301.jpeg is blurred",
        "ann@2x.png is nearly the same as ann.de.jpg, ann.me.webp and ann.png",
        "the request is for the base " + "1234567890ab" + "c" * 52,
        "model of uid 123e4567-e89b-12d3-a456-426614174000 is gone",
        "stabilityai/stable-diffusion-xl-base-1.0, runwayml/stable-diffusion-v1-5, Lykon/DreamShaperXL1Turbo",
        "photos.0.uri: String should match; spec.training.steps: Input should be less than 2000",
        "Input should be 'avatars.dev/training-result/v1alpha1'",
        "at 12:30:45 and/or n/a, 1/2 of them, 50%, 1e-4, v1.2.3",
        "AVATAR_MAX_PICTURE_PIXELS, weightsSha256, maxPicturePixelsPerInvocation",
        "José’s photo … – ﬁne",
    ],
)
def test_what_helps_comes_out_as_it_was(words: str) -> None:
    assert redacted(words) == words


@pytest.mark.parametrize("before", ["https:", "::ffff:", "see:", "a-"])
def test_no_part_of_an_address_comes_out_whatever_stands_before_it(before: str) -> None:
    assert redacted(f"{before}10.20.30.40") == f"{before}{WITHHELD}"


def test_of_a_photos_place_its_name_comes_out() -> None:
    words = "is nearly the same as s3://photos/team-a/Ann/2024/Holidays/InItalyWithAllMyFriends/IMG_1.jpg; add another"
    assert redacted(words) == "is nearly the same as IMG_1.jpg; add another"


@given(st.text(max_size=200))
def test_what_is_told_is_not_taken_apart_again(words: str) -> None:
    told = redacted(words)
    assert redacted(told) == told


@pytest.mark.parametrize(
    "part",
    [
        *(
            "a",
            "a.",
            "a-",
            "/a",
            "-/",
            ":",
            "1:",
            "1",
            "1.",
            "f:",
            "eyJ",
            "x-amz-",
            "token",
            "secret",
            "s3://",
            "a@",
            "@",
            "a:",
        ),
        *(
            "ip-1-1",
            "%",
            "~/",
            "/opt",
            "A1",
            "a.b-c:",
            "hf_",
            "AKIA",
            ".svc",
            ".com",
            ".com.",
            "://",
            "bearer ",
            "eyJ.",
            "é",
        ),
    ],
)
def test_no_text_takes_longer_than_it_is_long(part: str) -> None:
    began = time.thread_time()
    redacted(part * (20_000 // len(part)) + " !")
    assert time.thread_time() - began < 2


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
