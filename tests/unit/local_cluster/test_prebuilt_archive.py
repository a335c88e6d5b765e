"""The download of the prebuilt control plane, from a web server on this machine."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local_cluster import prebuilt_archive
from local_cluster.binary_cache import PROGRAMS
from local_cluster.prebuilt_archive import ARCHIVES, Archive, ArchiveUnavailableError, download


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def as_published() -> bytes:
    """An archive laid out as envtest's are."""
    return packed({f"controller-tools/envtest/{program}": program.encode() for program in PROGRAMS})


def listing(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start web servers that answer with given bytes; yields a function from bytes to a URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(body: bytes, announced: int | None = None, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if announced is None else announced))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/archive.tar.gz"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_programs_are_unpacked_executable_and_nothing_else_is_left(serve: Serve, tmp_path: Path) -> None:
    body = as_published()

    download(Archive(serve(body), hashlib.sha512(body).hexdigest()), tmp_path, print)

    assert listing(tmp_path) == sorted(PROGRAMS)
    for program in PROGRAMS:
        assert (tmp_path / program).read_bytes() == program.encode()
        assert (tmp_path / program).stat().st_mode & 0o777 == 0o755


def test_an_archive_with_another_checksum_is_refused_and_not_unpacked(serve: Serve, tmp_path: Path) -> None:
    archive = Archive(serve(as_published()), hashlib.sha512(b"what was published").hexdigest())

    with pytest.raises(ArchiveUnavailableError, match=r"refused .* not the published one"):
        download(archive, tmp_path, print)

    assert listing(tmp_path) == []


def test_an_archive_that_lacks_a_program_is_refused(serve: Serve, tmp_path: Path) -> None:
    body = packed({"controller-tools/envtest/etcd": b"etcd"})

    with pytest.raises(ArchiveUnavailableError, match="lacks kube-apiserver, kubectl"):
        download(Archive(serve(body), hashlib.sha512(body).hexdigest()), tmp_path, print)


def test_something_that_is_no_archive_is_refused(serve: Serve, tmp_path: Path) -> None:
    body = b"<html>please log in</html>"

    with pytest.raises(ArchiveUnavailableError, match="not a readable archive"):
        download(Archive(serve(body), hashlib.sha512(body).hexdigest()), tmp_path, print)


def test_a_download_that_breaks_off_is_refused(serve: Serve, tmp_path: Path) -> None:
    body = as_published()
    url = serve(body[:-10], announced=len(body))

    with pytest.raises(ArchiveUnavailableError):
        download(Archive(url, hashlib.sha512(body).hexdigest()), tmp_path, print)

    assert listing(tmp_path) == []


def test_an_archive_over_the_limit_is_refused(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = as_published()
    monkeypatch.setattr(prebuilt_archive, "_MAX_ARCHIVE_BYTES", len(body) - 1)

    with pytest.raises(ArchiveUnavailableError, match="larger than"):
        download(Archive(serve(body), hashlib.sha512(body).hexdigest()), tmp_path, print)


def test_a_program_over_the_limit_is_refused(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = as_published()
    monkeypatch.setattr(prebuilt_archive, "_MAX_PROGRAM_BYTES", 5)

    with pytest.raises(ArchiveUnavailableError, match="kube-apiserver in it is larger than"):
        download(Archive(serve(body), hashlib.sha512(body).hexdigest()), tmp_path, print)


def test_a_missing_release_says_what_the_server_said(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnavailableError, match="Not Found"):
        download(Archive(serve(b"", status=404), "0" * 128), tmp_path, print)


def test_a_closed_port_says_why(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/archive.tar.gz"

        with pytest.raises(ArchiveUnavailableError, match="Connection refused"):
            download(Archive(url, "0" * 128), tmp_path, print)


def test_a_host_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/archive.tar.gz"

        with pytest.raises(ArchiveUnavailableError, match="no answer within"):
            download(Archive(url, "0" * 128), tmp_path, print, connect_seconds=0.2)

    assert listing(tmp_path) == []


def test_both_supported_architectures_are_pinned() -> None:
    assert set(ARCHIVES) == {"amd64", "arm64"}
    for archive in ARCHIVES.values():
        assert len(bytes.fromhex(archive.sha512)) == hashlib.sha512().digest_size
