"""A studio's server and its clients on two machines: what goes over the cable, and nginx between.

The machines are network namespaces, which only root may make.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from latentfu.client.client import Client
from latentfu.core.errors import ServerError
from latentfu.protocol.remote_server import KnownServer, parse_remote
from PIL import Image

from tests.security.test_studio_door import sign
from tests.support.network_namespaces import (
    CLIENT_ADDRESS,
    SERVER_ADDRESS,
    can_make_namespaces,
    two_machines,
)
from tests.support.serving import ROOT, STAND_IN, pixel_body, wait_until
from tests.support.studio import Visitor

needs_root = pytest.mark.skipif(
    not can_make_namespaces(), reason="needs network namespaces: Linux, root"
)
needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")


def run_serving(machines, home):
    """``latentfu serve --listen`` on the first machine, with the editor that needs no network."""
    code = (
        "from latentfu.http.serve import ServerSettings, serve\n"
        "from latentfu.http.studio.settings import StudioSettings\n"
        f"studio = StudioSettings({SERVER_ADDRESS!r}, 7860)\n"
        f"serve(ServerSettings(port=0, devices=('cpu',), studio=studio, worker_arguments="
        f"('--editing', {STAND_IN!r}, '--catalog', {STAND_IN!r})))"
    )
    environment = {**os.environ, "LATENTFU_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [*machines.at_server, sys.executable, "-c", code]
    return subprocess.Popen(command, env=environment)


def run_program(place, home, *arguments, **more):
    """The program on one of the machines."""
    environment = {**os.environ, "LATENTFU_HOME": str(home), **more}
    command = [*place, sys.executable, "-m", "latentfu", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, input=""
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two machines, a server on the one, ``ana`` on the other, and what both keep."""
    folder = tmp_path_factory.mktemp("world")
    server_home, client_home = folder / "server", folder / "client"
    with two_machines() as machines:
        process = run_serving(machines, server_home)
        try:
            wait_until((server_home / "config" / "server.json").exists)
            added = run_program(machines.at_server, server_home, "users", "add", "ana", "--json")
            told = json.loads(added.stdout)
            (folder / "token").write_text(told["token"])
            yield machines, folder, server_home, client_home, told
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@needs_root
def test_a_sniffer_sees_no_token_and_no_picture(world):
    machines, folder, server_home, client_home, told = world
    url = f"https://{SERVER_ADDRESS}:7860"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(folder / "in.png")
    added = run_program(
        machines.at_client, client_home, "servers", "add", url,
        "--token-file", folder / "token", "--fingerprint", told["fingerprint"], "--no-use",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    arguments = ("edit", folder / "in.png", "-o", folder / "out.png", "--set", "brightness=9")
    done = run_program(machines.at_client, client_home, *arguments, "--json", "--server", url)
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["place"] == url
    assert f"The pictures are sent to {url}" in done.stderr
    out = np.asarray(Image.open(folder / "out.png"))
    assert np.array_equal(out, np.clip(noise.astype(int) + 9, 0, 255))
    time.sleep(0.5)
    heard = machines.on_the_cable
    assert len(heard) > 2 * noise.nbytes  # it went there and came back
    assert b"\x16\x03\x01" in heard  # the sniffer sees what there is to see: TLS begins
    for secret in (told["token"].encode(), b"Bearer", b"LFPX", b"/v1/", b"brightness"):
        assert secret not in heard
    assert noise.tobytes()[:48] not in heard and out.tobytes()[:48] not in heard
    audit = (server_home / "data" / "log" / "audit.log").read_text()
    assert f'"from": "{CLIENT_ADDRESS}"' in audit and '"user": "ana"' in audit


@needs_root
def test_the_sniffer_does_hear_what_goes_in_clear(world):
    machines, *_ = world
    code = (
        "import socket\n"
        f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'in clear', ({SERVER_ADDRESS!r}, 9))"
    )
    subprocess.run([*machines.at_client, sys.executable, "-c", code], check=True)
    wait_until(lambda: b"in clear" in machines.on_the_cable)


@needs_root
def test_without_a_token_or_with_a_revoked_one_there_is_nothing(world):
    machines, folder, server_home, _, told = world
    url = f"https://{SERVER_ADDRESS}:7860"
    image = folder / "small.png"
    Image.new("RGB", (16, 16), (1, 2, 3)).save(image)
    arguments = ("edit", image, "-o", folder / "no.png", "--set", "brightness=9", "--server", url)
    stranger = folder / "stranger"
    nobody = run_program(machines.at_client, stranger, *arguments)
    assert nobody.returncode == 1 and "There is no token" in nobody.stderr
    ben = json.loads(
        run_program(machines.at_server, server_home, "users", "add", "ben", "--json").stdout
    )
    unpinned = run_program(
        machines.at_client, stranger, *arguments, LATENTFU_SERVER_TOKEN=ben["token"]
    )
    assert unpinned.returncode == 1 and "nothing was sent" in unpinned.stderr
    (folder / "ben").write_text(ben["token"])
    pin = ("--token-file", folder / "ben", "--fingerprint", told["fingerprint"])
    added = run_program(machines.at_client, stranger, "servers", "add", url, *pin)
    assert added.returncode == 0, added.stderr
    run_program(machines.at_server, server_home, "users", "revoke", "ben")
    refused = run_program(machines.at_client, stranger, *arguments)
    assert refused.returncode == 1 and "no token of a user" in refused.stderr
    assert not (folder / "no.png").exists()
    assert ben["token"].encode() not in machines.on_the_cable


@needs_root
def test_the_loopback_address_of_the_server_is_not_reached_from_outside(world):
    machines, _, server_home, *_ = world
    port = json.loads((server_home / "config" / "server.json").read_text())["port"]
    code = f"import socket; socket.create_connection(({SERVER_ADDRESS!r}, {port}), 3)"
    done = subprocess.run(
        [*machines.at_client, sys.executable, "-c", code], capture_output=True, check=False
    )
    assert b"ConnectionRefusedError" in done.stderr


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
    access_log off;
    {bodies}
{block}
}}
"""


def read_documented_block() -> str:
    """The server block that docs/howto/share-a-server.md shows."""
    text = (ROOT / "docs" / "howto" / "share-a-server.md").read_text("utf-8")
    found = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@contextlib.contextmanager
def nginx_before(studio, folder: Path, issuer):
    """A real nginx with the documented block: host name ``studio.lan``, path ``/latent``."""
    certificate, key, _ = sign(folder / "front", ["studio.lan", "localhost"], issuer)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    block = read_documented_block()
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/studio.pem", certificate),
        ("/etc/ssl/studio.key", key),
        ("https://127.0.0.1:7860/", f"https://127.0.0.1:{studio.door_port}/"),
        ("/etc/nginx/latentfu.pem", studio.home / "config" / "tls" / "certificate.pem"),
    ):
        assert str(old) in block, old
        block = block.replace(str(old), str(new))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    bodies = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, bodies=bodies, block=block))
    command = ["nginx", "-c", str(config), "-p", str(folder), "-e", f"{folder}/error.log"]
    process = subprocess.Popen(command)
    try:
        yield port
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)


@needs_nginx
def test_nginx_before_the_server_as_it_is_documented(tmp_path, open_studio, monkeypatch):
    authority, _, issuer = sign(tmp_path / "ca", ["Studio CA"])
    studio = open_studio(studio={"names": ("studio.lan",), "proxies": ("127.0.0.1",)})
    ana = studio.add("ana")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with nginx_before(studio, tmp_path, issuer) as port:
        known = KnownServer(parse_remote(f"https://localhost:{port}/latent"), ana.token)
        wait_until(lambda: _answers(known))
        client = Client.connect_to(known)
        layer = client.send_layer(pixel_body(900, 700, 4, 30))  # 2.5 MB, beyond nginx's own limit
        seen: list[float] = []
        job = client.put_job(
            {"kind": "edit", "layer": layer, "edits": {"steps": 12, "pause_ms": 100}}
        )
        client.wait(job.id, lambda fraction, message="": seen.append(fraction))
        assert len(set(seen)) > 3  # progress comes as it is made, not all at the end
        assert len(client.result(job.id)) == 16 + 900 * 700 * 4
        preview = client.preview("0" * 8 + "-0000-0000-0000-" + "0" * 12, {"layer": layer})
        assert preview[:4] == b"LFPX"
        row = next(each for each in studio.audited if each["what"].startswith("PUT /v1/layers"))
        assert (row["user"], row["from"]) == ("ana", "127.0.0.1")
        with pytest.raises(ServerError, match="refuses"):
            Client.connect_to(KnownServer(known.address, "lfu_guess"))
        foreign = KnownServer(parse_remote(f"https://localhost:{port}/other"), ana.token)
        with pytest.raises(ServerError):
            Client.connect_to(foreign)
    assert Visitor(studio, ana.token).ask("GET", "/v1/health")[0] == 200


def _answers(known: KnownServer) -> bool:
    try:
        return Client.connect_to(known).health().status == "ok"
    except ServerError:
        return False
