"""What may come in: names, sizes, pictures, compression, slowness."""

import gzip
import hashlib
import io
import socket
import struct
import time
import uuid
import zlib
from pathlib import Path

import aiohttp
import PIL
import pytest
from PIL import Image

from tests.support.raw_http import ask, code, parse
from tests.support.serving import pixel_body

PIXELS = {"Content_Type": "application/octet-stream"}
JSON = {"Content_Type": "application/json"}


def _put(server, body, name=None, **headers):
    name = hashlib.sha256(body).hexdigest() if name is None else name
    return ask(server, "PUT", f"/v1/layers/{name}", body, **{**PIXELS, **headers})


def _stored(server):
    folder = server.home / "cache" / "layers"
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        "../" * 5 + "etc/passwd",
        "..%2f..%2fconfig%2ftoken",
        "%2e%2e%2fconfig%2ftoken",
        "..%5c..%5ctoken",
        "C:%5cWindows%5cwin.ini",
        "%00",
        "0" * 63 + "%00",
        "0" * 64 + "%0a",
        "0" * 64 + "%0d%0aX-Evil:%20yes",
        "0" * 63,
        "0" * 65,
        "A" * 64,
        "a" * 10_000,
        "%ff%fe",
        "",
    ],
)
def test_names_are_ids_and_never_paths(server, name):
    before = _stored(server)
    for path in (f"/v1/layers/{name}", f"/v1/jobs/{name}", f"/v1/jobs/{name}/result"):
        status, headers, body = ask(server, path=path)
        assert status in (400, 404, 405, 414), path
        assert "x-evil" not in headers and server.token.encode() not in body
    status, _, _ = _put(server, pixel_body(), name=name)
    assert status in (400, 404, 405)
    assert _stored(server) == before


def test_a_symlink_in_the_store_is_not_a_way_out(server):
    name = "5" * 64
    link = server.home / "cache" / "layers" / name
    link.symlink_to(server.home / "config" / "token")
    try:
        job = server.wait_for(server.put_job(name))
        assert (job["state"], job["error"]["code"]) == ("failed", "bad_input")
        assert server.token not in str(job)
        assert server.get(f"/v1/layers/{name}") == (200, b"")
    finally:
        link.unlink()


def test_a_body_must_have_the_sha256_it_is_sent_under(server):
    answer = _put(server, pixel_body(value=91), name="0" * 64)
    assert (answer[0], code(answer)) == (400, "bad_input")
    assert "0" * 64 not in _stored(server)


def _png(width=4, height=4, rest=b"", depth=8):
    ihdr = struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", ihdr) + rest


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _animation():
    frames = [Image.new("RGBA", (8, 8), (value, 0, 0, 255)) for value in (0, 120, 240)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _whole_png():
    out = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(out, "PNG")
    return out.getvalue()


BOMB = _chunk(b"IDAT", zlib.compress(b"\0" * 50_000_000, 9)) + _chunk(b"IEND", b"")
HEADER = b"LFPX\1\4\0\0"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (_png(50_000, 50_000, BOMB), 413),
        (_png(16_384, 16_384, BOMB), 413),
        (_png(0, 5), 400),
        (_png(depth=16), 400),
        (_animation(), 400),
        (_whole_png()[:-200], 400),
        (_whole_png()[:40], 400),
        (_whole_png()[:20], 400),
        (b"\x89PNG\r\n\x1a\n", 400),
        (HEADER + struct.pack("<II", 50_000, 50_000), 413),
        (HEADER + struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF), 413),
        (HEADER + struct.pack("<II", 0, 4), 400),
        (b"LFPX\1\2\0\0" + struct.pack("<II", 2, 2) + b"12345678", 400),
        (b"LFPX\2\1\0\0" + struct.pack("<II", 1, 1) + b"1", 400),
        (b"LFPX\1\1\1\0" + struct.pack("<II", 1, 1) + b"1", 400),
        (pixel_body()[:-1], 400),
        (pixel_body() + b"x", 413),
        (b"this is a text file named .png", 400),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 400),
        (b"<html><script>alert(1)</script></html>" + b" " * 100, 400),
        (b"GIF89a" + b"\0" * 100, 400),
        (b"\x80\x04\x95" + b"\0" * 60, 400),
        (b"x", 400),
    ],
)
def test_hostile_pictures_are_refused_and_leave_nothing(server, body, status):
    before = _stored(server)
    answer = _put(server, body)
    assert answer[0] == status, answer[2]
    assert code(answer) in ("bad_input", "too_large")
    assert _stored(server) == before
    assert server.answers()


def test_a_bomb_inside_a_small_png_is_not_unpacked(server):
    before = _peak_bytes(server.process.pid)
    answer = _put(server, _png(4, 4, BOMB))
    assert (answer[0], code(answer)) == (400, "bad_input")
    assert _peak_bytes(server.process.pid) - before < 30_000_000


def _peak_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def test_a_png_that_says_it_is_huge_is_refused_by_its_first_bytes(server):
    head = (
        f"PUT /v1/layers/{'1' * 64} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000000\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode() + _png(50_000, 50_000) + b"\0" * 1000)
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_body_that_says_it_is_too_long_is_not_read(server):
    for path, size in (("/v1/layers/" + "1" * 64, 10**12), (f"/v1/jobs/{uuid.uuid4()}", 10**7)):
        kind = "octet-stream" if "layers" in path else "json"
        answer = ask(
            server, "PUT", path, Content_Length=str(size), Content_Type=f"application/{kind}"
        )
        assert (answer[0], code(answer)) == (413, "too_large")


def test_an_endless_chunked_body_is_cut_off(server):
    head = (
        f"PUT /v1/jobs/{uuid.uuid4()} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Type: application/json\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode())
        for _ in range(40):
            connection.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
def test_compressed_bodies_are_refused(server, encoding):
    body = gzip.compress(b"\0" * 10_000_000)
    answer = _put(server, body, Content_Encoding=encoding)
    assert (answer[0], code(answer)) == (415, "unsupported")


def test_a_body_sent_one_byte_a_second_is_given_up(start):
    server = start(limits={"body_grace_s": 1.5})
    body = pixel_body()
    head = (
        f"PUT /v1/layers/{hashlib.sha256(body).hexdigest()} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.5) as connection:
        connection.sendall(head.encode())
        answer = b""
        for number in range(20):
            try:
                connection.sendall(body[number : number + 1])
                answer += connection.recv(4096)
            except TimeoutError:
                continue
            break
    answer = parse(answer)
    assert (answer[0], code(answer)) == (408, "too_slow")
    assert _stored(server) == []


def test_headers_that_never_end_are_given_up(start):
    server = start(limits={"header_s": 0.5})
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nX-Slow: ")
        assert connection.recv(100) == b""
    assert server.answers()


def test_huge_headers_are_refused(server):
    assert ask(server, X_Long="a" * 100_000)[0] in (400, 431)
    assert server.answers()


def test_nothing_is_fetched_and_nothing_installed(server):
    layer = server.put_layer(pixel_body())
    url = f"http://127.0.0.1:{server.port}/v1/shutdown"
    for extra in ({"url": url}, {"layer": url}, {"generator_url": url}, {"callback": url}):
        body = {"kind": "edit", "layer": layer, **extra}
        assert server.put(f"/v1/jobs/{uuid.uuid4()}", body)[0] == 400
    for path in ("/v1/plugins", "/v1/generators"):
        for method in ("PUT", "POST", "DELETE"):
            assert server.request(method, path, {"url": url})[0] == 405
    assert server.answers()


def test_what_comes_back_is_never_shown_by_a_browser(server):
    job_id = server.put_job(server.put_layer(pixel_body(value=ord("<"))))
    server.wait_for(job_id)
    for accept in ("text/html", "image/png", "*/*"):
        _, headers, _ = ask(server, path=f"/v1/jobs/{job_id}/result", Accept=accept)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-disposition"] == "attachment"
        assert headers["content-type"] in ("application/octet-stream", "image/png")
    _, headers, _ = ask(server, path=f"/v1/jobs/{job_id}/events")
    assert headers["x-content-type-options"] == "nosniff"


def test_the_settings_lie_outside_of_what_is_served(server):
    config = server.home / "config"
    served = [server.home / "cache" / "layers", server.home / "data" / "results"]
    assert not any(config.resolve().is_relative_to(folder.resolve()) for folder in served)
    for path in ("/", "/config/token", "/static/x", "/v1/../config/token", "//config/token"):
        assert ask(server, path=path)[0] == 404


def test_the_libraries_are_new_enough():
    assert tuple(map(int, aiohttp.__version__.split(".")[:3])) >= (3, 14, 4)
    assert tuple(map(int, PIL.__version__.split(".")[:2])) >= (12, 3)


def test_nothing_on_disk_is_a_pickle(server):
    server.wait_for(server.put_job(server.put_layer(pixel_body())))
    for path in Path(server.home).rglob("*"):
        if path.is_file():
            assert not path.read_bytes().startswith(b"\x80"), path
    source = Path(__file__).parents[2] / "server" / "latentfu"
    for folder in ("jobs", "web", "store"):
        for path in (source / folder).rglob("*.py"):
            assert "import pickle" not in path.read_text(), path


def test_a_client_that_reads_nothing_holds_nobody_up(server):
    job_id = server.put_job(server.put_layer(pixel_body()), edits={"steps": 10, "pause_ms": 50})
    head = f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}Authorization: Bearer {server.token}\r\n\r\n".encode())
        assert server.wait_for(job_id)["state"] == "done"
        time.sleep(0.1)
