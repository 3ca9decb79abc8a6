"""Fetching a file over real HTTP from a server that breaks off, lies, stalls and changes."""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from latentfu import (
    BadInputError,
    CancelledError,
    LatentFuError,
    Offer,
    Patience,
    StorageError,
    download,
)
from latentfu.storage.certificate import _make_certificate
from latentfu.storage.download import AnswerError, RedirectHandler

from tests.support.downloads_server import SIZE, Reply, Shelf, serving

CONTENT = random.Random(0).randbytes(SIZE)
SHA = hashlib.sha256(CONTENT).hexdigest()
SOON = Patience(stall=0.3, tries=4, pause=0.0)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving(CONTENT) as made:
        yield made


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fetched(shelf: Shelf, folder: Path, **more: object) -> bytes:
    """What stands under the final name; only that may be in the folder."""
    target = folder / "net.pkl"
    offer = Offer(f"{shelf.url}/net.pkl", **more)  # type: ignore[arg-type]
    digest = download(offer, target, patience=SOON)
    assert left_in(folder) == ["net.pkl"]
    assert digest == hashlib.sha256(target.read_bytes()).hexdigest()
    return target.read_bytes()


def stopping_at(share: float) -> object:
    def progress(fraction: float, message: str = "") -> None:
        if fraction >= share:
            raise CancelledError

    return progress


def stopped(shelf: Shelf, target: Path, **more: object) -> int:
    """A person stops it half-way; how many bytes are kept."""
    shelf.replies = [Reply(after=SIZE // 2, stall=0.1)]
    offer = Offer(f"{shelf.url}/net.pkl", **more)  # type: ignore[arg-type]
    with pytest.raises(CancelledError):
        download(offer, target, stopping_at(0.4), SOON)  # type: ignore[arg-type]
    assert not target.exists()
    return target.with_name("net.pkl.part").stat().st_size


def test_a_whole_file_in_one_go(shelf: Shelf, tmp_path: Path) -> None:
    assert fetched(shelf, tmp_path, sha256=SHA, size=SIZE) == CONTENT
    assert len(shelf.asked) == 1


def test_what_breaks_off_goes_on_where_it_was(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(after=200_000), Reply(after=300_000)]
    assert fetched(shelf, tmp_path) == CONTENT
    assert [asked[1:] for asked in shelf.asked] == [
        ("", ""),
        ("bytes=200000-", '"one"'),
        ("bytes=500000-", '"one"'),
    ]


def test_a_stall_is_noticed_and_it_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(after=100_000, stall=2.0)]
    assert fetched(shelf, tmp_path) == CONTENT
    assert shelf.asked[1][1] == "bytes=100000-"


def test_a_trickle_is_a_stall_too(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(drip=60, after=60)]
    assert fetched(shelf, tmp_path) == CONTENT
    assert 0 < int(shelf.asked[1][1][6:-1]) < 60


def test_stopped_by_a_person_the_next_call_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    kept = stopped(shelf, tmp_path / "net.pkl")
    assert 0 < kept <= SIZE // 2
    assert fetched(shelf, tmp_path, sha256=SHA) == CONTENT
    assert shelf.asked[-1][1] == f"bytes={kept}-"


def test_a_part_of_another_version_is_not_used(shelf: Shelf, tmp_path: Path) -> None:
    stopped(shelf, tmp_path / "net.pkl")
    shelf.content, shelf.etag = CONTENT[::-1], '"two"'
    assert fetched(shelf, tmp_path) == CONTENT[::-1]


def test_a_part_from_elsewhere_is_checked_by_its_hash(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "net.pkl.part").write_bytes(b"x" * 1000)
    assert fetched(shelf, tmp_path, sha256=SHA) == CONTENT


def test_without_hash_and_validator_nothing_old_is_trusted(shelf: Shelf, tmp_path: Path) -> None:
    shelf.etag = ""
    (tmp_path / "net.pkl.part").write_bytes(b"x" * 1000)
    assert fetched(shelf, tmp_path) == CONTENT
    assert shelf.asked[0][1] == ""


def test_a_server_without_ranges_starts_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(after=200_000), Reply(ignore_range=True)]
    assert fetched(shelf, tmp_path) == CONTENT


def test_a_file_that_changes_between_two_pieces_starts_anew(shelf: Shelf, tmp_path: Path) -> None:
    def change() -> None:
        if len(shelf.asked) == 2:
            shelf.content, shelf.etag = CONTENT[::-1] + b"longer", '"two"'

    shelf.before, shelf.replies = change, [Reply(after=200_000)]
    assert fetched(shelf, tmp_path) == CONTENT[::-1] + b"longer"


def test_a_file_that_changes_unnoticed_but_in_size_starts_anew(
    shelf: Shelf, tmp_path: Path
) -> None:
    def change() -> None:
        if len(shelf.asked) == 2:
            shelf.content = CONTENT[::-1] + b"longer"

    shelf.etag, shelf.before, shelf.replies = "", change, [Reply(after=200_000)]
    assert fetched(shelf, tmp_path) == CONTENT[::-1] + b"longer"


def test_another_piece_than_asked_for_is_not_taken(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(after=200_000), Reply(shift=5)]
    assert fetched(shelf, tmp_path) == CONTENT


def test_a_part_that_is_the_whole_file_is_not_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "net.pkl.part").write_bytes(CONTENT)
    assert fetched(shelf, tmp_path, sha256=SHA) == CONTENT
    assert len(shelf.asked) == 1


def test_a_part_longer_than_the_file_starts_anew(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "net.pkl.part").write_bytes(CONTENT + b"more")
    assert fetched(shelf, tmp_path, sha256=SHA) == CONTENT


def test_chunked_answers_and_chunks_that_break_off(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(chunked=True, after=300_000), Reply(chunked=True)]
    assert fetched(shelf, tmp_path, sha256=SHA) == CONTENT


def test_a_length_that_is_a_lie(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(lie=50_000)]
    assert fetched(shelf, tmp_path) == CONTENT
    assert shelf.asked[1][1] == f"bytes={SIZE}-"


def test_redirects_are_followed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(status=302, headers={"Location": "/elsewhere"})]
    assert fetched(shelf, tmp_path, sha256=SHA) == CONTENT
    assert shelf.asked[1][0] == "/elsewhere"


def test_a_certificate_that_nobody_vouches_for_ends_it_at_once(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    _make_certificate(certificate, key, ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    tried: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    tried.append(b"")
                    with context.wrap_socket(connection, server_side=True) as secure:
                        tried[-1] = secure.recv(1000)

        threading.Thread(target=serve, daemon=True).start()
        address = f"https://127.0.0.1:{listening.getsockname()[1]}/net.pkl"
        with pytest.raises(BadInputError, match="its certificate is not valid"):
            download(Offer(address), tmp_path / "net.pkl", patience=SOON)
        listening.shutdown(socket.SHUT_RDWR)
    assert tried == [b""]  # asked once, and nothing was sent
    assert not (tmp_path / "net.pkl").exists()


def test_a_redirect_out_of_https_is_not_followed() -> None:
    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(AnswerError, match="not safe"):
        RedirectHandler().redirect_request(request, None, 302, "", {}, "http://example.org/a")
    followed = RedirectHandler().redirect_request(
        request, None, 302, "", {}, "https://example.org/b"
    )
    assert followed.full_url == "https://example.org/b"


def test_a_server_in_trouble_is_asked_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies = [Reply(status=500), Reply(status=503, headers={"Retry-After": "0"})]
    assert fetched(shelf, tmp_path) == CONTENT


WRONG = b"<html>" + CONTENT[6:]
BAD = {
    "404": ([Reply(status=404)] * 9, {}, "404", 1),
    "500": ([Reply(status=500)] * 9, {}, "500", 4),
    "page": ([Reply(headers={"Content-Type": "text/html"})] * 9, {}, "web page", 1),
    "packed": ([Reply(headers={"Content-Encoding": "gzip"})] * 9, {}, "packed", 1),
    "stalls": ([Reply(after=0, stall=0.6)] * 9, {}, "nothing comes", 4),
    "shorter than stated": ([], {"size": SIZE + 1}, "is another file", 1),
    "too long": ([], {"largest": SIZE - 1}, "more than the", 1),
    "chunks without end": ([Reply(chunked=True)] * 9, {"size": SIZE - 1}, "more than the", 1),
    "wrong bytes": ([], {"sha256": "ab" * 32}, "its sha256 begins with", 1),
    "in a circle": (
        [Reply(status=302, headers={"Location": "/net.pkl"})] * 30,
        {},
        "in a circle",
        None,
    ),
    "to a local file": (
        [Reply(status=302, headers={"Location": "file:///etc/passwd"})],
        {},
        "302",
        1,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_servers_end_in_one_sentence(case: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.replies, more, said, times = BAD[case]
    with pytest.raises(BadInputError, match=said) as caught:
        fetched(shelf, tmp_path, **more)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    assert times is None or len(shelf.asked) == times
    assert "net.pkl" not in left_in(tmp_path)


def test_wrong_bytes_leave_nothing_and_what_was_there_stays(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "net.pkl"
    target.write_bytes(b"older")
    with pytest.raises(BadInputError, match="sha256"):
        download(Offer(f"{shelf.url}/net.pkl", "00" * 32), target, patience=SOON)
    assert left_in(tmp_path) == ["net.pkl"] and target.read_bytes() == b"older"


def test_nobody_there_and_no_address(tmp_path: Path) -> None:
    with serving(b"") as gone:
        url = gone.url
    for address in (url, "http://nothing.invalid/x", "ftp://x/y", "nonsense", "http://[::1"):
        with pytest.raises(BadInputError):
            download(Offer(address), tmp_path / "x", patience=SOON)
    assert left_in(tmp_path) == []
    with pytest.raises(BadInputError, match="No such file"):
        download(Offer((tmp_path / "no.pkl").as_uri()), tmp_path / "x", patience=SOON)
    assert left_in(tmp_path) == []


def test_a_folder_of_this_machine_can_be_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(CONTENT)
    download(Offer((tmp_path / "a.pkl").as_uri(), SHA, SIZE), tmp_path / "b.pkl", patience=SOON)
    assert (tmp_path / "b.pkl").read_bytes() == CONTENT


def test_two_at_once_do_not_write_over_each_other(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "net.pkl"

    def second(fraction: float, message: str = "") -> None:
        with pytest.raises(StorageError, match="another process"):
            download(Offer(f"{shelf.url}/net.pkl"), target, patience=SOON)

    download(Offer(f"{shelf.url}/net.pkl", SHA), target, second, SOON)
    assert target.read_bytes() == CONTENT


def test_one_that_another_process_finishes_meanwhile_is_not_damaged(
    shelf: Shelf, tmp_path: Path
) -> None:
    target, part = tmp_path / "net.pkl", tmp_path / "net.pkl.part"
    part.write_bytes(b"what another process has fetched")

    def finished_meanwhile(descriptor: int) -> None:
        if not target.exists():
            part.replace(target)

    with mock.patch("latentfu.storage.partial_file.lock_or_fail", finished_meanwhile):
        seen = []
        download(
            Offer(f"{shelf.url}/net.pkl", SHA),
            target,
            lambda fraction, message="": seen.append(target.read_bytes()),
            SOON,
        )
    assert set(seen) == {b"what another process has fetched"}
    assert target.read_bytes() == CONTENT


def test_a_full_disk_is_said_before(shelf: Shelf, tmp_path: Path) -> None:
    full = mock.Mock(free=SIZE // 2)
    with (
        mock.patch("latentfu.storage.partial_file.shutil.disk_usage", return_value=full),
        pytest.raises(StorageError, match="make room"),
    ):
        fetched(shelf, tmp_path)
    assert left_in(tmp_path) == []


def test_a_folder_that_can_not_be_written(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"):
        download(Offer(f"{shelf.url}/net.pkl"), tmp_path / "file" / "net.pkl", patience=SOON)


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    return Reply(
        status=draw(st.sampled_from([0, 0, 0, 0, 500, 404])),
        after=draw(st.none() | st.integers(0, SIZE)),
        ignore_range=draw(st.booleans()),
        lie=draw(st.sampled_from([0, 0, 0, 7, -7])),
        chunked=draw(st.booleans()),
        shift=draw(st.sampled_from([0, 0, 0, 3])),
    )


@pytest.mark.slow
@given(list_of=st.lists(replies(), max_size=6), known=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_server_does_the_final_name_is_the_file_or_nothing(
    list_of: list[Reply], known: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.mktemp("any") / "net.pkl"
    with serving(CONTENT, replies=list_of) as shelf:
        for _ in range(2):
            try:
                offer = Offer(f"{shelf.url}/x", SHA if known else "", SIZE)
                download(offer, target, patience=SOON)
            except LatentFuError:
                assert not target.exists()
            else:
                assert target.read_bytes() == CONTENT
                break
