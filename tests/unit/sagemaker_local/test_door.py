"""Programs that call the server by its own name are let in, web pages and foreign names are not."""

from __future__ import annotations

import pytest

from sagemaker_local.door import Door

HERE = "127.0.0.1"


CLOSED = Door()


def is_let_in(door: Door = CLOSED, address: str = HERE, **headers: str) -> bool:
    environ = {f"HTTP_{name}": value for name, value in {"HOST": "127.0.0.1:4566", **headers}.items()}
    return door.refusal(environ, address) is None


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:4566",
        "localhost:",
        "localhost.",
        "127.0.0.1:4566",
        "[::1]:8080",
        "photos.localhost:4566",
        "photos.of_ann.s3.localhost:4566",
        "photos.s3.eu-west-1.localhost",
        "photos.127.0.0.1:4566",
        "10.0.0.7:4566",
        "photos.10.0.0.7:4566",
    ],
)
def test_the_machines_own_names_and_the_buckets_below_them_are_ours(host: str) -> None:
    assert is_let_in(address="10.0.0.7", HOST=host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4566",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "10.0.0.8",
        "1127.0.0.1",
        "0.0.0.0:4566",
        "bucket.s3.amazonaws.com",
        "localhost,evil.example",
        "evil.example@localhost",
        "localhost:4566@evil.example",
        "local host",
    ],
)
def test_any_other_host_is_foreign(host: str) -> None:
    assert not is_let_in(HOST=host)


@pytest.mark.parametrize("host", ["aws", "aws:4566", "AWS.", "photos.aws:4566", "s3.eu-west-1.amazonaws.com"])
def test_a_host_that_is_allowed_is_ours_with_all_below_it(host: str) -> None:
    assert is_let_in(Door.open_to(["AWS", "amazonaws.com"], []), HOST=host)
    assert not is_let_in(Door.open_to(["aws.example"], []), HOST=host)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost:3000", "http://127.0.0.1:4566", "null", "", "file://"],
)
def test_a_web_page_of_any_origin_is_refused_our_own_included(origin: str) -> None:
    assert not is_let_in(ORIGIN=origin)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none,cross-site", ""])
def test_what_a_page_fetches_without_an_origin_is_refused(site: str) -> None:
    assert not is_let_in(SEC_FETCH_SITE=site)


def test_what_is_typed_into_the_address_bar_is_let_in() -> None:
    assert is_let_in(SEC_FETCH_SITE="none", SEC_FETCH_MODE="navigate")


def test_pages_of_an_origin_that_is_allowed_are_let_in_with_their_pictures() -> None:
    door = Door.open_to([], ["http://localhost:3000"])
    assert is_let_in(door, ORIGIN="http://localhost:3000", SEC_FETCH_SITE="same-site")
    assert is_let_in(door, REFERER="http://localhost:3000/gallery", SEC_FETCH_SITE="same-site")
    assert not is_let_in(door, ORIGIN="http://localhost:3001")
    assert not is_let_in(door, ORIGIN="http://localhost:3000.evil.example")
    assert not is_let_in(door, ORIGIN="null", REFERER="http://localhost:3000/")
    assert not is_let_in(
        door, REFERER="http://evil.example/http://localhost:3000", SEC_FETCH_SITE="cross-site"
    )
    assert not is_let_in(door, HOST="evil.example", ORIGIN="http://localhost:3000")


@pytest.mark.parametrize("host", ["", "http://aws", "aws:4566", "a/b", ".aws", "*", "*.aws", "a b"])
def test_what_is_no_host_cannot_be_allowed(host: str) -> None:
    with pytest.raises(ValueError, match=r"--allow-host .* must be a name or an address alone"):
        Door.open_to([host], [])


@pytest.mark.parametrize(
    "origin", ["", "*", "null", "localhost:3000", "http://a/", "http://a?", "http://u@a"]
)
def test_what_is_no_origin_cannot_be_allowed(origin: str) -> None:
    with pytest.raises(ValueError, match=r"--allow-origin .* must be an origin as browsers send it"):
        Door.open_to([], [origin])


def test_a_refusal_says_what_was_refused_and_how_it_can_be_allowed() -> None:
    foreign = Door().refusal({"HTTP_HOST": "evil.example"}, HERE)
    page = Door().refusal({"HTTP_HOST": "localhost", "HTTP_ORIGIN": "http://evil.example"}, HERE)
    assert foreign is not None
    assert page is not None
    assert (foreign.code, foreign.status) == (page.code, page.status) == ("AccessDeniedException", 403)
    assert "Host 'evil.example' is not a name of this server" in foreign.message
    assert "--allow-host" in foreign.message
    assert "a web page (http://evil.example) may not call this server" in page.message
    assert "--allow-origin" in page.message
