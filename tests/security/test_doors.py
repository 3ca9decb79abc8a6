"""Who may come in: bind address, token, Host, Origin, content type."""

import os
import subprocess
import sys
import uuid

import pytest
from latentfu.http.serve import ROUTES
from latentfu.protocol.server_address import PROOF_PATH

from tests.support.raw_http import ask, code, send

EVERY_ROUTE = [
    (
        route.method,
        route.path.replace("{sha256}", "0" * 64)
        .replace("{id}", str(uuid.UUID(int=1)))
        .replace("{session}", str(uuid.UUID(int=2))),
    )
    for route in ROUTES
    if route.path != PROOF_PATH
]


def _serve(home, *arguments):
    program = f"from latentfu.cli.main import main; main({['serve', *arguments]!r})"
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LATENTFU_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
def test_no_other_bind_without_the_flag(tmp_path, host):
    run = _serve(tmp_path, "--host", host, "--port", "0")
    assert run.returncode in (1, 2) and "--allow-remote" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "config" / "server.json").exists()


def test_wrong_use_is_exit_code_2(tmp_path):
    assert _serve(tmp_path, "--port", "70000").returncode == 2
    assert _serve(tmp_path, "--log-level", "chatty").returncode == 2


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
def test_every_route_wants_the_whole_token(server, method, path):
    token = server.token
    json_body = {"body": b"{}", "Content_Type": "application/json"}
    wrong = [
        {"token": False},
        {"Authorization": f"Bearer {token[:-1]}"},
        {"Authorization": f"Bearer {token}x"},
        {"Authorization": f"Bearer {'A' * len(token)}"},
        {"Authorization": f"Basic {token}"},
        {"Authorization": token},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer \xff\xfe"},
    ]
    for headers in wrong:
        answer = ask(server, method, path, **json_body, **headers)
        assert (answer[0], code(answer)) == (401, "unauthorized"), headers
    in_url = f"{path}?token={token}&access_token={token}"
    assert ask(server, method, in_url, token=False, **json_body)[0] == 401
    assert ask(server, method, path, token=False, Cookie=f"token={token}", **json_body)[0] == 401
    assert server.answers()


def test_the_token_is_in_no_log(server):
    ask(server, path=f"/v1/health?token={server.token}")
    ask(server, path="/v1/nothing%0d%0aFORGED", token=False)
    ask(server)
    for path in (server.home / "data").rglob("*"):
        if path.is_file():
            assert server.token.encode() not in path.read_bytes(), path
    assert "\nFORGED" not in server.log


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "evil.com:7860",
        "127.0.0.1.nip.io",
        "localhost.evil.com",
        "foo.local",
        "foo.localhost",
        "127.0.0.1@evil.com",
        "127.0.0.1:80:90",
        "127.0.0.1, evil.com",
        "192.168.1.5",
        "0.0.0.0",
        "[::]",
        "2130706433",
        "127.1",
        "",
        None,
    ],
)
def test_a_foreign_host_is_refused_even_with_the_token(server, host):
    status, _, _ = ask(server, Host=host)
    assert status in (400, 403)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.8.9.10:99", "[::1]", "[::1]:7860"]
)
def test_this_machines_names_are_taken(server, host):
    assert ask(server, Host=host)[0] == 200


def test_two_hosts_are_refused(server):
    request = (
        f"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.com\r\nConnection: close\r\n"
        f"Authorization: Bearer {server.token}\r\n\r\n"
    )
    assert send(server, request.encode())[0] in (400, 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # What a browser sends for a page of another site, whatever the page does.
        ({"Origin": "https://evil.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8000"}, 403),
        ({"Origin": "file://"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "https://127.0.0.1:PORT"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 403),
        ({"Sec_Fetch_Site": "nonsense"}, 403),
        ({"Sec_Fetch_Site": "none"}, 404),
        ({"Sec_Fetch_Site": "same-origin"}, 404),
        ({"Origin": "http://127.0.0.1:PORT"}, 404),
        ({"Origin": "http://127.0.0.1:PORT", "Sec_Fetch_Site": "same-origin"}, 404),
        ({"Origin": "http://127.0.0.1:PORT", "Sec_Fetch_Site": "cross-site"}, 403),
        ({}, 404),
    ],
)
def test_unsafe_methods_from_web_pages_are_refused(server, headers, status):
    headers = {name: value.replace("PORT", str(server.port)) for name, value in headers.items()}
    assert ask(server, "DELETE", f"/v1/jobs/{uuid.UUID(int=1)}", **headers)[0] == status


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Origin", ("http://127.0.0.1:PORT", "https://evil.com")),
        ("Origin", ("https://evil.com", "http://127.0.0.1:PORT")),
        ("Sec-Fetch-Site", ("same-origin", "cross-site")),
        ("Sec-Fetch-Site", ("cross-site", "none")),
    ],
)
def test_a_second_header_does_not_hide_the_first_nor_the_first_the_second(server, name, values):
    lines = [f"{name}: {value.replace('PORT', str(server.port))}" for value in values]
    head = ["DELETE /v1/jobs/x HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Connection: close"]
    request = [*head, f"Authorization: Bearer {server.token}", *lines, "", ""]
    assert send(server, "\r\n".join(request).encode())[0] == 403


def test_safe_methods_from_web_pages(server):
    assert ask(server, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    assert ask(server, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(server, Origin="https://evil.com")[0] == 403
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert ask(server, token=False, **followed)[0] == 401


def test_a_preflight_gets_no_permission(server):
    answer = ask(
        server,
        "OPTIONS",
        "/v1/shutdown",
        Origin="https://evil.com",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization",
    )
    assert answer[0] in (401, 403, 405)
    assert not any(name.startswith("access-control") for name in answer[1])


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "image/svg+xml",
        "text/html",
        "application/x-python-pickle",
        None,
    ],
)
def test_what_a_form_can_send_is_not_read(server, kind):
    body = b'{"kind": "edit", "layer": "' + b"0" * 64 + b'"}'
    answer = ask(server, "PUT", f"/v1/jobs/{uuid.uuid4()}", body, Content_Type=kind)
    assert (answer[0], code(answer)) == (415, "unsupported")
    assert ask(server, "POST", "/v1/shutdown", b"x=1", Content_Type=kind)[0] == 415
    assert server.answers()


def test_every_answer_has_the_headers_that_keep_a_browser_from_showing_it(server):
    requests = [
        ask(server),
        ask(server, token=False),
        ask(server, Host="evil.com"),
        ask(server, path="/nothing"),
        ask(server, "POST", "/v1/health"),
        ask(server, path="/v1/layers/" + "0" * 64),
        send(server, b"nonsense\r\n\r\n"),
        send(server, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 100_000 + b"\r\n\r\n"),
        send(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ]
    for _, headers, _ in requests:
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-disposition"] == "attachment"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control") for name in headers)
        assert headers["server"] == "latentfu"
    for answer in requests[-3:]:
        assert (answer[0], code(answer)) == (400, "bad_input")
        assert b"nonsense" not in answer[2] and b"bbb" not in answer[2], "nothing sent comes back"
