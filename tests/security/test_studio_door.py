"""The door of a shared server: TLS, certificates, names, connections, and what clients trust."""

from __future__ import annotations

import datetime
import json
import socket
import ssl
import threading
import time
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from latentfu.client.client import Client
from latentfu.client.trust import ChangedServerError, UnknownServerError, fetch_fingerprint
from latentfu.core.errors import BadInputError, LatentFuError
from latentfu.http.studio.settings import StudioSettings, parse_listen
from latentfu.protocol.remote_server import (
    choose_server,
    group_fingerprint,
    parse_fingerprint,
    parse_remote,
    servers_path,
)
from latentfu.storage.certificate import find_certificate, read_fingerprint
from latentfu.storage.remote_servers import keep_server

from tests.support.serving import pixel_body, wait_until
from tests.support.studio import Visitor


@pytest.fixture(scope="module")
def ana(studio):
    return studio.add("ana")


def sign(folder, names, issuer=None):
    """A certificate, its key, and the pair to sign others with; by itself without ``issuer``."""
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    by, with_key = issuer or (subject, secret)
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(with_key.public_key()), False
        )
        .sign(with_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cert.pem").write_bytes(signed.public_bytes(pem))
    (folder / "key.pem").write_bytes(secret.private_bytes(pem, *plain))
    return folder / "cert.pem", folder / "key.pem", (subject, secret)


def test_an_edit_goes_the_whole_way(ana):
    layer = ana.put_layer(pixel_body(value=100))
    body, report = ana.client.run({"kind": "edit", "layer": layer, "edits": {"brightness": 5.0}})
    assert body[-1] == 105 and report["psnr"] == 30.0


def test_a_certificate_is_made_once_and_its_key_is_its_owners(studio):
    folder = studio.home / "config" / "tls"
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("certificate.pem", "key.pem"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert read_fingerprint(folder / "certificate.pem") == studio.fingerprint
    with studio.at_home():
        assert find_certificate(None, None, ()).fingerprint == studio.fingerprint
    shown = fetch_fingerprint(parse_remote(f"https://127.0.0.1:{studio.door_port}"))
    assert shown == studio.fingerprint
    assert parse_fingerprint("SHA256:" + group_fingerprint(shown)) == shown


def test_a_server_that_nobody_vouches_for_is_told_and_gets_nothing(studio, ana):
    with pytest.raises(UnknownServerError, match="nothing was sent") as caught:
        Client.connect_to(replace(ana.known, fingerprint=""))
    assert caught.value.fingerprint == studio.fingerprint
    assert group_fingerprint(studio.fingerprint) in str(caught.value)


def test_another_certificate_than_before_is_refused_before_anything_is_sent(tmp_path, ana):
    certificate, key, _ = sign(tmp_path, ["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = replace(ana.known.address, host="127.0.0.1", port=listening.getsockname()[1])
        client = Client(address, ana.token, 10.0, ana.studio.fingerprint)
        heard = _listen_once(listening, context)
        with pytest.raises(ChangedServerError, match="another certificate than before"):
            client.health()
        assert heard() == b""


def _listen_once(listening, context):
    got: list[bytes] = []

    def listen() -> None:
        plain, _ = listening.accept()
        with context.wrap_socket(plain, server_side=True) as connection:
            try:
                got.append(connection.recv(1000))
            except OSError:
                got.append(b"")

    thread = threading.Thread(target=listen)
    thread.start()

    def heard() -> bytes:
        thread.join(10)
        return got[0]

    return heard


def test_a_certificate_of_an_authority_needs_no_fingerprint(tmp_path, open_studio, monkeypatch):
    authority, _, issuer = sign(tmp_path / "ca", ["Studio CA"])
    certificate, key, _ = sign(tmp_path / "server", ["localhost", "gpu.studio.lan"], issuer)
    studio = open_studio(studio={"certificate": certificate, "key": key})
    visitor = studio.add("ana")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    vouched = replace(visitor.known, fingerprint="")
    assert Client.connect_to(vouched).health().status == "ok"
    assert visitor.ask("GET", "/v1/health", Host="gpu.studio.lan")[0] == 200  # its own name
    with pytest.raises(LatentFuError):  # not for this name
        elsewhere = replace(vouched.address, host="127.0.0.1")
        Client.connect_to(replace(vouched, address=elsewhere))


def test_a_renewed_certificate_is_taken_up_without_a_restart(tmp_path, open_studio):
    certificate, key, _ = sign(tmp_path / "server", ["localhost"])
    studio = open_studio(studio={"certificate": certificate, "key": key})
    address = parse_remote(f"https://localhost:{studio.door_port}")
    assert fetch_fingerprint(address) == studio.fingerprint
    time.sleep(0.05)
    sign(tmp_path / "server", ["localhost"])
    wait_until(lambda: fetch_fingerprint(address) == read_fingerprint(certificate))
    assert read_fingerprint(certificate) != studio.fingerprint


def test_a_server_is_called_by_its_names_only(open_studio):
    studio = open_studio(studio={"names": ("gpu.studio.lan",)})
    ana = studio.add("ana")
    good = (
        "localhost",
        "127.0.0.1:7860",
        "10.1.2.3",
        "[::1]",
        "GPU.studio.LAN",
        "gpu.studio.lan:1",
    )
    bad = ("evil.com", "gpu.studio.lan.evil.com", "127.0.0.1.nip.io", "a@localhost", "")
    assert [ana.ask("GET", "/v1/health", Host=host)[0] for host in good] == [200] * len(good)
    assert {ana.ask("GET", "/v1/health", Host=host)[0] for host in bad} <= {400, 403}
    for header in ({"Origin": "https://localhost"}, {"Sec-Fetch-Site": "cross-site"}):
        given = {name.replace("-", "_"): value for name, value in header.items()}
        assert ana.ask("GET", "/v1/health", **given)[0] == 403


def test_nobody_but_a_proxy_says_where_a_client_is(open_studio):
    studio = open_studio(studio={"proxies": ("127.0.0.3",)})
    ana = studio.add("ana")
    for source, given, seen in (
        ("127.0.0.1", "9.9.9.9", "127.0.0.1"),
        ("127.0.0.3", "9.9.9.9, 10.1.1.1", "10.1.1.1"),
        ("127.0.0.3", "nonsense", "127.0.0.3"),
    ):
        ana.source = source
        ana.ask("PUT", "/v1/jobs/x", {}, X_Forwarded_For=given)
        assert studio.audited[-1]["from"] == seen


def test_plain_http_gets_nothing(studio, ana):
    with socket.create_connection(("127.0.0.1", studio.door_port), timeout=20) as connection:
        request = f"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ana.token}"
        connection.sendall((request + "\r\n\r\n").encode())
        answer = b""
        try:
            while chunk := connection.recv(1000):
                answer += chunk
        except ConnectionResetError:
            pass
    assert b"HTTP" not in answer and b"ok" not in answer


def test_old_tls_is_not_spoken(studio):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.minimum_version = ssl.TLSVersion.TLSv1
    with (
        socket.create_connection(("127.0.0.1", studio.door_port), timeout=10) as plain,
        pytest.raises(OSError),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_one_address_cannot_hold_all_connections(open_studio):
    studio = open_studio(limits={"address_connections": 8, "header_s": 30.0})
    ana = studio.add("ana")
    held = [
        socket.create_connection(
            ("127.0.0.1", studio.door_port), timeout=10, source_address=("127.0.0.7", 0)
        )
        for _ in range(40)  # none of them ever begins with TLS
    ]
    try:
        assert ana.ask("GET", "/v1/health")[0] == 200
        ana.source = "127.0.0.7"
        with pytest.raises(OSError):
            ana.ask("GET", "/v1/health")
    finally:
        for one in held:
            one.close()
    wait_until(lambda: _answers(ana))


def test_who_does_not_speak_in_time_is_dropped(open_studio):
    studio = open_studio(limits={"header_s": 1.0})
    ana = studio.add("ana")
    with socket.create_connection(("127.0.0.1", studio.door_port), timeout=20) as silent:
        assert silent.recv(100) == b""
    connection = ana.connect()
    connection.connect()  # TLS, and then nothing
    connection.sock.settimeout(20)
    assert connection.sock.recv(100) == b""
    connection.close()
    assert ana.ask("GET", "/v1/health")[0] == 200


def _answers(visitor: Visitor) -> bool:
    try:
        return visitor.ask("GET", "/v1/health")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    "url", ["http://0.0.0.0:7860", "0.0.0.0:7860", "https://", "https://a/b", "https://a:99999"]
)
def test_an_address_to_listen_on_is_https_and_plain(url):
    with pytest.raises(BadInputError):
        parse_listen(url)


def test_addresses_that_are_taken():
    assert parse_listen("https://0.0.0.0:7860") == ("0.0.0.0", 7860)
    assert parse_listen("https://[::]/") == ("::", 7860)
    assert parse_remote("https://Studio.lan/latent/").url == "https://studio.lan/latent"
    with pytest.raises(BadInputError, match="IP address"):
        StudioSettings("127.0.0.1", 0, proxies=("proxy.lan",))
    for url in ("http://studio.lan", "studio.lan", "https://u:p@studio.lan", "https://a/?b", ""):
        with pytest.raises(BadInputError):
            parse_remote(url)


def test_the_server_that_is_used_is_the_one_that_was_chosen(isolated_home, monkeypatch, ana):
    monkeypatch.delenv("LATENTFU_SERVER", raising=False)
    assert choose_server() is None
    keep_server(ana.known)
    assert choose_server() == ana.known
    assert servers_path().stat().st_mode & 0o777 == 0o600
    assert choose_server("local") is None
    monkeypatch.setenv("LATENTFU_SERVER", "local")
    assert choose_server() is None
    monkeypatch.setenv("LATENTFU_SERVER", "https://other.lan:1")
    with pytest.raises(LatentFuError, match="no token for https"):
        choose_server()
    monkeypatch.setenv("LATENTFU_SERVER_TOKEN", "t")
    assert choose_server().token == "t"
    assert "lfu_" not in repr(ana.known)
    for content in ("[]", "{", json.dumps({"servers": {"http://a": {"token": "t"}}})):
        servers_path().write_text(content)
        with pytest.raises(LatentFuError, match="is damaged"):
            choose_server("https://other.lan:1")
