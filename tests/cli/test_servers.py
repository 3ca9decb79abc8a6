"""``latentfu users`` and ``latentfu servers``, and where ``--server`` sends a picture."""

import json
import os
import subprocess
import sys

import pytest
from latentfu.protocol.remote_server import group_fingerprint, servers_path

from tests.support.studio import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    opened = Studio(tmp_path_factory.mktemp("studio"))
    yield opened
    assert opened.stop() == 0


@pytest.fixture(scope="module")
def ana(studio):
    return studio.add("ana")


@pytest.fixture
def url(studio):
    return f"https://localhost:{studio.door_port}"


@pytest.fixture
def token_file(tmp_path, ana):
    path = tmp_path / "token"
    path.write_text(ana.token + "\n")
    return path


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    for name in ("LATENTFU_SERVER", "LATENTFU_SERVER_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_users_come_and_go(latentfu_program):
    added = latentfu_program("users", "add", "ben", "--role", "administer", "--json").json
    assert added["token"].startswith("lfu_")
    assert added["fingerprint"] == ""  # no server has been started with --listen
    assert latentfu_program("users", "list", "--json").json["users"][0]["role"] == "administer"
    shown = latentfu_program("users", "list").out
    assert "ben" in shown and added["token"] not in shown
    twice = latentfu_program("users", "add", "Ben")
    assert (twice.code, twice.out) == (1, "") and "already" in twice.err
    assert latentfu_program("users", "revoke", "ben").code == 0
    assert latentfu_program("users", "list", "--json").json == {"users": []}
    assert latentfu_program("users", "revoke", "ben").code == 1


def test_a_server_is_added_used_and_forgotten(latentfu_program, studio, url, token_file, ana):
    more = ("--token-file", token_file, "--fingerprint", group_fingerprint(studio.fingerprint))
    added = latentfu_program("servers", "add", url, *more)
    assert added.code == 0 and "Pictures are sent there" in added.out
    listed = latentfu_program("servers", "list", "--json")
    row = {"url": url, "fingerprint": studio.fingerprint, "is_used": True}
    assert listed.json == {"servers": [row]}
    assert ana.token not in listed.out + latentfu_program("servers", "list").out
    assert url in latentfu_program("doctor").out
    assert latentfu_program("servers", "use", "local").code == 0
    assert latentfu_program("servers", "list", "--json").json["servers"][0]["is_used"] is False
    assert latentfu_program("servers", "use", "https://other.lan").code == 1
    assert latentfu_program("servers", "forget", url).code == 0
    assert ana.token not in servers_path().read_text()
    assert latentfu_program("servers", "forget", url).code == 1


def test_without_a_fingerprint_nothing_is_kept_or_sent(latentfu_program, url, token_file):
    refused = latentfu_program("servers", "add", url, "--token-file", token_file)
    assert refused.code == 1 and "No authority vouches" in refused.err
    wrong = latentfu_program(
        "servers", "add", url, "--token-file", token_file, "--fingerprint", "0" * 64
    )
    assert wrong.code == 1 and "another certificate" in wrong.err
    assert not servers_path().exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_a_person_is_asked_about_the_fingerprint(
    url, studio, token_file, isolated_home, answer, code
):
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "latentfu", "servers", "add", url]
    process = subprocess.Popen(
        [*command, "--token-file", str(token_file)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.write(ours, f"{answer}\n".encode())
    _, said = process.communicate(timeout=60)
    os.close(ours), os.close(theirs)
    assert process.returncode == code
    assert group_fingerprint(studio.fingerprint) in said.decode()
    assert servers_path().exists() == (code == 0)


def test_an_edit_goes_where_it_was_told_and_says_so(
    latentfu_program, studio, url, token_file, photo, tmp_path, monkeypatch, ana
):
    more = ("--token-file", token_file, "--fingerprint", studio.fingerprint, "--no-use")
    assert latentfu_program("servers", "add", url, *more).code == 0
    edit = ("edit", photo, "-o", tmp_path / "out.png", "--set", "brightness=3", "--json")
    done = latentfu_program(*edit, "--server", url)
    assert done.code == 0 and done.json["place"] == url
    assert f"sent to {url}" in done.err
    monkeypatch.setenv("LATENTFU_SERVER", url)
    assert latentfu_program(*edit).json["place"] == url
    sent = len(studio.audited)
    local = latentfu_program(*edit, "--local")  # here there is no control of that name
    assert local.code == 1 and "sent to" not in local.err
    assert len(studio.audited) == sent
    both = latentfu_program(*edit, "--local", "--server", url)
    assert both.code == 2 and json.loads(both.out)["error"]["code"] == "usage"


def test_a_chosen_server_that_is_not_there_is_an_error_and_not_this_machine(
    latentfu_program, photo, tmp_path, monkeypatch
):
    monkeypatch.setenv("LATENTFU_SERVER", "https://127.0.0.1:9")
    monkeypatch.setenv("LATENTFU_SERVER_TOKEN", "lfu_guess")
    out = tmp_path / "out.png"
    done = latentfu_program("edit", photo, "-o", out, "--set", "smile=1")
    assert done.code == 1 and "does not answer" in done.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--listen", "http://0.0.0.0:1"), "https only"),
        (("--name", "a.lan"), "--name goes with --listen"),
        (("--listen", "https://127.0.0.1:0", "--stop-when-idle"), "--stop-when-idle"),
        (("--listen", "https://127.0.0.1:0", "--key", "x.pem"), "--certificate and --key"),
        (("--listen", "https://127.0.0.1:0", "--proxy", "p.lan"), "IP address"),
    ],
)
def test_what_goes_with_listen(latentfu_program, arguments, said):
    done = latentfu_program("serve", *arguments)
    assert done.code in (1, 2) and said in done.err


def test_a_certificate_that_is_none_is_refused(latentfu_program, tmp_path):
    (tmp_path / "x.pem").write_text("nothing")
    files = ("--certificate", tmp_path / "x.pem", "--key", tmp_path / "x.pem")
    done = latentfu_program("serve", "--listen", "https://127.0.0.1:0", *files)
    assert done.code == 1 and "no certificate in PEM" in done.err
