"""Attacks that once succeeded, each as it was carried out."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import resource
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from latentfu import Latent
from latentfu.cli.main import run
from latentfu.core.errors import TooLargeError
from latentfu.protocol.png import check_png_whole
from latentfu.storage.inversion_cache import FORMAT, InversionStore
from PIL import Image
from safetensors.torch import save_file

from tests.support.raw_http import ask, code
from tests.support.sentences import read_one_sentence
from tests.support.serving import pixel_body, wait_until
from tests.support.small_world import small_generator

ROOT = Path(__file__).parents[2]
PIXELS = {"Content_Type": "application/octet-stream"}


# --- pictures -------------------------------------------------------------------------------


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _header(width: int, height: int, depth: int = 8, color: int = 0) -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))


SIGNATURE, END = b"\x89PNG\r\n\x1a\n", _chunk(b"IEND", b"")
ROWS = zlib.compress(bytes(9 * 8))
BAD_PNGS = {
    "second header": SIGNATURE
    + _header(8, 8)
    + _header(4000, 1700)
    + _chunk(b"IDAT", zlib.compress(bytes(4001 * 1700)))
    + END,
    "more pixels": SIGNATURE + _header(8, 8) + _chunk(b"IDAT", zlib.compress(bytes(10**6))) + END,
    "fewer pixels": SIGNATURE + _header(8, 8) + _chunk(b"IDAT", zlib.compress(bytes(9))) + END,
    "no end": SIGNATURE + _header(8, 8) + _chunk(b"IDAT", ROWS),
    "no pixels": SIGNATURE + _header(8, 8) + END,
    "wrong checksum": SIGNATURE + _header(8, 8) + _chunk(b"IDAT", ROWS)[:-1] + b"x" + END,
    "animation": SIGNATURE
    + _header(8, 8)
    + _chunk(b"acTL", bytes(8))
    + _chunk(b"IDAT", ROWS)
    + END,
    "impossible color": SIGNATURE + _header(8, 8, color=5) + _chunk(b"IDAT", ROWS) + END,
    "endless chunk": SIGNATURE + _header(8, 8) + struct.pack(">I4s", 2**31, b"IDAT") + ROWS,
}


@pytest.mark.parametrize("name", BAD_PNGS)
def test_a_png_is_checked_to_its_end_before_it_is_taken(server, name: str) -> None:
    body = BAD_PNGS[name]
    answer = ask(server, "PUT", f"/v1/layers/{hashlib.sha256(body).hexdigest()}", body, **PIXELS)
    assert (answer[0], code(answer)) == (400, "bad_input")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 64)])
def test_every_whole_png_passes(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    path = tmp_path / "x.png"
    Image.new(mode, size).save(path)
    check_png_whole(path)


def test_a_large_png_is_checked_in_little_memory(tmp_path: Path) -> None:
    rows = zlib.compress(bytes(10_001 * 9_000))
    path = tmp_path / "large.png"
    path.write_bytes(SIGNATURE + _header(10_000, 9_000) + _chunk(b"IDAT", rows) + END)
    tracemalloc.start()
    check_png_whole(path)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20  # the pixels alone are 90 MB
    tracemalloc.stop()


def test_an_impossible_size_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(SIGNATURE + _header(50_000, 50_000) + _chunk(b"IDAT", ROWS) + END)
    with pytest.raises(TooLargeError):
        check_png_whole(path)


def test_pillow_is_always_told_which_formats_to_try() -> None:
    for path in (*(ROOT / "server").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("Image.open", "PIL.Image.open"):
                words = [word.arg for word in node.keywords]  # type: ignore[attr-defined]
                assert "formats" in words, f"{path}:{node.lineno}"  # type: ignore[attr-defined]


READS_ANYTHING = frozenset(
    {
        *("pickle.load", "pickle.loads", "torch.load", "joblib.load", "marshal.loads"),
        *("shelve.open", "yaml.load", "cv2.imread", "imageio.imread", "tempfile.mktemp"),
        *("os.system", "os.popen", "exec", "ssl._create_unverified_context"),
    }
)
"""What guesses what a file is, runs what is in it, or asks nobody who sent it."""


def test_nothing_reads_what_could_run() -> None:
    """Foreign files go to the child, pictures to Pillow with its formats, words to no shell."""
    for folder in ("server", "plugins", "gimp_plugin"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                where = f"{path}:{node.lineno}"
                assert ast.unparse(node.func) not in READS_ANYTHING, where
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert given.get("shell", "False") == "False", where
                assert given.get("allow_pickle", "False") == "False", where


def test_an_eps_named_png_starts_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    started = tmp_path / "started"
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "gs"
    fake.write_text(f"#!/bin/sh\ntouch {started}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "x.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    )
    assert run(["bench", "inversion", "--images", str(folder), "--generator", "portraits"]) == 1
    read_one_sentence(capsys)
    assert not started.exists()


# --- arrays, archives, directions, the cache ------------------------------------------------


def _lying_npy(path: Path) -> Path:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 39,)}
    )
    path.write_bytes(header.getvalue() + bytes(64))
    return path


def test_an_array_that_claims_terabytes(home: Path, tmp_path: Path, capsys) -> None:
    lying = _lying_npy(tmp_path / "huge.npy")
    assert run(["directions", "import", str(lying), "--generator", "portraits"]) == 1
    read_one_sentence(capsys)
    codes = tmp_path / "codes.npy"
    np.save(codes, np.zeros((10, 64), np.float32))
    for first, second in ((codes, lying), (lying, codes)):
        words = ["directions", "fit", str(first), str(second), "--generator", "portraits"]
        assert run([*words, "--name", "f"]) == 1
        read_one_sentence(capsys)


@pytest.mark.parametrize("kind", ["w:xz", "w:gz", "w:bz2", "w"])
def test_a_tar_with_a_name_of_a_gigabyte(home: Path, tmp_path: Path, capsys, kind: str) -> None:
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 256 << 20
    path = tmp_path / "set.tar"
    with tarfile.open(path, kind) as tar:
        tar.fileobj.write(entry.tobuf())  # type: ignore[union-attr]
        for _ in range(256):
            tar.fileobj.write(bytes(1 << 20))  # type: ignore[union-attr]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run(["deformations", "import", str(path), "--generator", "portraits"]) == 1
    read_one_sentence(capsys)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # KB


def test_a_number_beyond_all_floats_hides_no_direction(home: Path, capsys) -> None:
    import latentfu
    from latentfu import Direction, write_direction

    generator = latentfu.generators()["portraits"]
    folder = home / "data" / "directions"
    folder.mkdir(parents=True)
    vector = np.eye(1, latentfu.open_generator("portraits").w_dim, dtype=np.float32)[0]
    for name in ("good", "bad"):
        write_direction(
            folder / f"{name}.safetensors",
            Direction(vector=vector, space="w", name=name, generator_id=generator.id),
        )
    path = folder / "bad.safetensors"
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    facts = json.loads(header["__metadata__"]["direction"]) | {"minimum": -(10**400)}
    header["__metadata__"]["direction"] = json.dumps(facts)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    assert run(["directions", "list", "--generator", "portraits", "--json"]) == 0
    listed = capsys.readouterr().out
    assert '"good"' in listed and '"bad"' not in listed


@pytest.mark.parametrize(
    "change",
    [
        {"parts": [1]},
        {"parts": {"a": "b"}},
        {"steps": float("inf")},
        {"steps": None},
        {"quality": [1e999, {}, "x", 0]},
        {"bends": 7},
        {"details": [["far"]]},
        {"method": None, "space": ["w"]},
    ],
)
def test_a_poisoned_cache_entry_is_as_good_as_none(tmp_path: Path, change: dict) -> None:
    import torch

    generator, store, key = small_generator(), InversionStore(tmp_path), "0" * 64
    facts = {
        "key": key,
        "space": "w",
        "generator_id": generator.id,
        "method": "w",
        "steps": 3,
        "quality": [20.0, 0.1, "x", 1.0],
        "parts": {},
    } | change
    codes = {"codes": torch.zeros(1, generator.w_dim)}
    save_file(codes, store.path(key), {"format": FORMAT, "inversion": json.dumps(facts)})
    found = store.get(key, generator)
    assert found is None or isinstance(found.latent, Latent)


def test_codes_beyond_all_reason_are_not_used(tmp_path: Path) -> None:
    import torch

    generator, store, key = small_generator(), InversionStore(tmp_path), "0" * 64
    facts = {"key": key, "space": "w", "generator_id": generator.id, "method": "w", "steps": 3}
    facts |= {"quality": [20.0, 0.1, "x", 1.0]}
    for value in (1e30, float("nan"), float("inf")):
        codes = {"codes": torch.full((1, generator.w_dim), value)}
        save_file(codes, store.path(key), {"format": FORMAT, "inversion": json.dumps(facts)})
        assert store.get(key, generator) is None


# --- the server's files ---------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_no_file_of_the_server_is_open_to_others(start) -> None:
    server = start()
    server.wait_for(server.put_job(server.put_layer(pixel_body())))
    for path in server.home.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        private = not mode & 0o077
        inside = any(not stat.S_IMODE(p.stat().st_mode) & 0o077 for p in path.parents)
        assert private or inside, f"{path} {mode:o}"
    for name in ("config", "data", "cache"):
        assert stat.S_IMODE((server.home / name).stat().st_mode) == 0o700
    assert stat.S_IMODE((server.home / "data" / "jobs.sqlite-wal").stat().st_mode) == 0o600


def test_a_linked_result_is_not_given_out(start) -> None:
    server = start()
    job = server.put_job(server.put_layer(pixel_body()))
    server.wait_for(job)
    result = server.home / "data" / "results" / job
    result.unlink()
    result.symlink_to(server.home / "config" / "token")
    answer = ask(server, path=f"/v1/jobs/{job}/result")
    assert answer[0] == 404 and server.token.encode() not in answer[2]


def test_the_quota_of_layers_holds_at_once_and_spares_what_waits(start) -> None:
    body = len(pixel_body(100, 100))
    server = start(limits={"layer_quota_bytes": 3 * body + 100})
    first = server.put_layer(pixel_body(100, 100, value=0))
    server.put_job(first, edits={"steps": 100, "pause_ms": 100})
    for value in range(1, 8):
        server.put_layer(pixel_body(100, 100, value=value))
    kept = {path.name for path in (server.home / "cache" / "layers").iterdir()}
    assert first in kept and len(kept) <= 3


def test_results_have_a_quota_of_bytes(start) -> None:
    body = len(pixel_body(100, 100))
    server = start(limits={"result_quota_bytes": 2 * body + 100})
    layer = server.put_layer(pixel_body(100, 100))
    jobs = [server.put_job(layer) for _ in range(5)]
    for job in jobs:
        server.wait_for(job)
    assert len(list((server.home / "data" / "results").iterdir())) <= 2
    assert ask(server, path=f"/v1/jobs/{jobs[-1]}/result")[0] == 200


def test_a_cancel_is_seen_however_many_previews_wait(start) -> None:
    server = start(limits={"cancel_s": 3.0})
    layer = server.put_layer(pixel_body())
    job = server.put_job(layer, edits={"steps": 100, "pause_ms": 100})
    server.wait_for(job, "running")
    worker = server.worker_pid()
    sockets = []
    for number in range(40):
        body = json.dumps({"layer": layer, "edits": {"pause_ms": 100, "steps": 3}}).encode()
        head = (
            f"PUT /v1/previews/{number:08d}-0000-4000-8000-000000000000 HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nAuthorization: Bearer {server.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        connection.sendall(head.encode() + body)
        sockets.append(connection)
    time.sleep(0.3)
    assert ask(server, "DELETE", f"/v1/jobs/{job}")[0] == 200
    time.sleep(4.0)
    assert server.worker_pid() == worker
    for connection in sockets:
        connection.close()
    wait_until(lambda: server.job(job)["state"] == "cancelled")


def test_wrong_methods_and_ranges_are_answered_as_http_wants(server) -> None:
    status, headers, _ = ask(server, "DELETE", "/v1/health")
    assert status == 405 and "GET" in headers["allow"]
    job = server.put_job(server.put_layer(pixel_body()))
    server.wait_for(job)
    answer = ask(server, path=f"/v1/jobs/{job}/result", Range="bytes=999999999-")
    assert (answer[0], code(answer)) == (416, "bad_input")
    assert ask(server, path=f"/v1/jobs/{job}/result", Range="bytes=0-3")[0] == 206


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs to mount as root")
def test_a_home_that_becomes_read_only(start, tmp_path: Path) -> None:
    home = tmp_path / "disk"
    home.mkdir()
    read_only = ["mount", "-o", "remount,bind,ro", str(home)]
    if subprocess.run(["mount", "--bind", str(home), str(home)], check=False).returncode:
        pytest.skip("this machine does not let root mount")
    subprocess.run(["umount", str(home)], check=True)
    try:
        server = start(home=home)
        layer = server.put_layer(pixel_body())
        server.wait_for(server.put_job(layer))
        subprocess.run(["mount", "--bind", str(home), str(home)], check=True)
        subprocess.run(read_only, check=True)
        assert ask(server, path=f"/v1/layers/{layer}")[0] == 200
        body = pixel_body(value=1)
        name = hashlib.sha256(body).hexdigest()
        answer = ask(server, "PUT", f"/v1/layers/{name}", body, **PIXELS)
        assert code(answer) == "storage", server.log
        server.kill()
        done = subprocess.run(
            [sys.executable, "-m", "latentfu", "serve", "--port", "0"],
            env={**os.environ, "LATENTFU_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
        assert "Something failed" not in done.stderr
    finally:
        subprocess.run(["umount", "-l", str(home)], check=False)
