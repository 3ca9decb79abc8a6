"""What somebody without the token can do to the server: hold connections, fill the log, listen."""

import contextlib
import json
import logging
import os
import random
import signal
import socket
import sys
import time

import pytest
from latentfu.client.client import Client
from latentfu.core.errors import ServerError
from latentfu.http.log_files import PrivateLog
from latentfu.protocol.server_address import ServerAddress, make_proof

from tests.support.raw_http import ask, parse, send
from tests.support.serving import pixel_body, wait_until
from tests.support.stranger import stranger_on_port

HEALTH = b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def _open(server, data=b""):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(data)
    return connection


def test_silent_connections_do_not_keep_the_owner_out(start):
    server = start(limits={"max_connections": 20, "header_s": 60.0})
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(_open(server, HEALTH))  # never ends its headers
        for _ in range(5):
            assert ask(server)[0] == 200


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_of_connections_that_come_in_bursts_none_stays(start):
    """Some are dropped between their taking and their making, while others come."""
    server = start(limits={"max_connections": 20, "header_s": 1.0})
    chance = random.Random(1)
    for _ in range(4):
        with contextlib.ExitStack() as stack:
            silent = []
            for _ in range(90):
                if chance.random() < 0.1:
                    os.kill(server.process.pid, signal.SIGSTOP)
                silent.append(stack.enter_context(_open(server)))
                if chance.random() < 0.1:
                    os.kill(server.process.pid, signal.SIGCONT)
            os.kill(server.process.pid, signal.SIGCONT)
            wait_until(server.answers)
            assert all(one.recv(1) == b"" for one in silent)


def test_a_refused_request_closes_its_connection(start):
    server = start(limits={"max_connections": 20})
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(_open(server, HEALTH + b"\r\n"))
            assert parse(connection.recv(65536))[0] == 401
            assert connection.recv(65536) == b""  # closed by the server
        assert ask(server)[0] == 200


def test_where_all_connections_work_a_new_one_is_refused(start):
    server = start(limits={"max_connections": 3})
    whole = HEALTH + f"Authorization: Bearer {server.token}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(_open(server, whole))
            assert parse(connection.recv(65536))[0] == 200
        with pytest.raises((OSError, IndexError)):
            ask(server)
    wait_until(server.answers)


@pytest.mark.parametrize(
    "line",
    [
        "GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\0\r\n\r\n",
        "GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nAuth orization: Bearer {token}\r\n\r\n",
        "Bearer {token}\r\n\r\n",
        "GET /{token} HTTP/9.9 extra\r\n\r\n",
    ],
)
def test_what_is_no_http_is_not_repeated_in_the_log(server, line):
    status, _, body = send(server, line.format(token=server.token).encode())
    assert status == 400
    assert server.token not in server.log
    assert server.token not in body.decode()
    assert "127.0.0.1 sends is not HTTP" in server.log


def test_strangers_cannot_push_the_log_out(start):
    server = start()
    ask(server, path="/v1/mark")
    for _ in range(100):
        send(server, b"nonsense\r\n\r\n")
        ask(server, token=False)
    assert "/v1/mark" in server.log
    assert len(server.log.splitlines()) < 60
    assert "Traceback" not in server.log


def test_a_listener_that_leaves_is_no_error(start):
    server = start()
    job = server.put_job(server.put_layer(pixel_body()))
    request = (
        f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {server.token}\r\n\r\n"
    )
    for _ in range(3):
        with _open(server, request.encode()) as connection:
            connection.recv(100)
    time.sleep(0.3)
    assert server.answers()
    assert "Traceback" not in server.log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_logs_are_their_owners_alone(start):
    server = start()
    ask(server)
    modes = [path.stat().st_mode & 0o777 for path in (server.home / "data" / "log").iterdir()]
    assert modes and set(modes) == {0o600}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_logs_stay_their_owners_alone_when_they_are_rotated(tmp_path):
    path, old = tmp_path / "server.log", tmp_path / "server.log.1"
    for each in (path, old):
        each.write_text("of an older version\n", encoding="utf-8")
        each.chmod(0o644)
    before = os.umask(0)
    handler = PrivateLog(path, maxBytes=200, backupCount=3, encoding="utf-8")
    try:
        assert mode_of(old) == mode_of(path) == 0o600
        for number in range(40):
            handler.emit(logging.makeLogRecord({"msg": f"line {number} of a log that goes round"}))
            assert {mode_of(each) for each in tmp_path.iterdir()} == {0o600}
    finally:
        handler.close()
        os.umask(before)
    assert len(list(tmp_path.iterdir())) == 4


def mode_of(path):
    return path.stat().st_mode & 0o777


def answer_with_a_guess(path, port):
    """Another user's program on a port that a dead server left in server.json."""
    proof = make_proof("a guess", "0" * 32, 1)
    return 200, json.dumps({"proof": proof, "status": "ok"}).encode()


def test_a_stranger_on_a_dead_servers_port_gets_no_token():
    with stranger_on_port(answer_with_a_guess) as stranger:
        client = Client(ServerAddress("127.0.0.1", stranger.server_port, 1, "0"), "secret-token")
        for call in (client.health, lambda: client.send_layer(b"pixels"), client.shutdown):
            with pytest.raises(ServerError, match="is not your server"):
                call()
        with pytest.raises(ServerError):
            client.wait("0" * 8, patience_s=0.1)
    assert stranger.heard and not stranger.was_sent("secret", "Bearer")


def test_a_proof_holds_for_one_port_and_one_nonce(server):
    nonce = "5" * 32
    status, _, body = ask(server, path=f"/v1/proof?nonce={nonce}", token=False)
    assert status == 200
    given = json.loads(body)["proof"]
    assert given == make_proof(server.token, nonce, server.port)
    assert given != make_proof(server.token, nonce, server.port + 1)
    assert given != make_proof(server.token, "6" * 32, server.port)
    for bad in ("", "5", "X" * 32, "5" * 200):
        assert ask(server, path=f"/v1/proof?nonce={bad}", token=False)[0] == 400
    assert ask(server, "PUT", f"/v1/proof?nonce={nonce}", token=False)[0] == 401


def test_a_sudden_end_makes_a_new_token_and_a_quiet_one_does_not(start):
    server = start()
    first = server.token
    assert server.stop() == 0
    server.start()
    assert server.token == first
    server.process.kill()
    server.process.wait()
    server.start()
    assert server.token != first
    assert server.answers()


def test_a_lost_token_is_found_again_and_a_new_one_is_taken(start):
    server = start()
    first, path = server.token, server.home / "config" / "token"
    path.unlink()
    wait_until(path.exists)
    assert server.token == first
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("n" * 43)
    wait_until(server.answers)
    assert ask(server, token=False, Authorization=f"Bearer {first}")[0] == 401
