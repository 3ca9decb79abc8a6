"""Users of a shared server: nobody gets in without a token, nobody gets at another's work."""

import hashlib
import json
import re
import ssl
import uuid

import pytest
from latentfu.core.errors import BadInputError, ServerError, StorageError
from latentfu.http.serve import ROUTES
from latentfu.protocol.errors import NotFoundError, QueueFullError
from latentfu.protocol.requests import EditRequest
from latentfu.storage.users import add_user, read_users, revoke_user, users_path

from tests.support.serving import pixel_body, wait_until
from tests.support.studio import Visitor

FACE = pixel_body(40, 30, value=77)


def _fill(name):
    return {"sha256": "a" * 64, "plugin": "p", "name": "n"}.get(name, str(uuid.UUID(int=7)))


ASKED = [
    (route.method, re.sub(r"\{(\w+)\}", lambda part: _fill(part[1]), route.path), route.role)
    for route in ROUTES
    if route.path not in ("/v1/proof", "/v1/idle-stop")
]
FOR_EDITORS = {
    "/v1/aligners", "/v1/controls", "/v1/default-generator", "/v1/generators", "/v1/health",
    "/v1/inverters", "/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/events", "/v1/jobs/{id}/result",
    "/v1/latents/{sha256}", "/v1/layers/{sha256}", "/v1/makers", "/v1/networks",
    "/v1/openapi.json", "/v1/plugins", "/v1/previews/{session}",
}  # fmt: skip


@pytest.fixture(scope="module")
def ana(studio):
    return studio.add("ana")


@pytest.fixture(scope="module")
def ben(studio):
    return studio.add("ben")


@pytest.mark.parametrize("token", [None, "", "lfu_wrong", "x" * 43, "ana"])
def test_no_route_answers_without_a_users_token(studio, token):
    for number, (method, path, _) in enumerate(ASKED):
        visitor = Visitor(studio, token, source=f"127.0.1.{number + 1}")
        assert visitor.ask(method, path)[0] == 401, path
    assert Visitor(studio, token, "127.0.2.1").ask("GET", "/v1/proof?nonce=" + "5" * 32)[0] == 401


def test_the_owners_own_token_opens_the_loopback_address_only(studio, ana):
    assert Visitor(studio, studio.token, "127.0.3.1").ask("GET", "/v1/health")[0] == 401
    assert studio.get("/v1/health", headers={"Authorization": f"Bearer {ana.token}"})[0] == 401
    assert studio.get("/v1/health")[0] == 200


def test_what_is_for_administrators_is_refused_to_others(studio, ana):
    assert {route.path for route in ROUTES if route.role == "edit"} == FOR_EDITORS
    for method, path, role in ASKED:
        if role == "administer":
            status, answer = ana.ask(method, path)
            assert (status, answer["error"]["code"]) == (403, "forbidden"), path
    job = f"/v1/jobs/{uuid.uuid4()}"
    install = {"kind": "install", "network": "faces", "agreed": True}
    assert ana.ask("PUT", job, install)[0] == 403
    assert studio.answers()


def test_another_users_job_is_as_if_it_were_not_there(studio, ana, ben):
    layer = ana.put_layer(FACE)
    job = ana.put_job(layer, edits={"brightness": 1.0})
    ana.wait_for(job, "done")
    for method, path in (
        ("GET", f"/v1/jobs/{job}"),
        ("GET", f"/v1/jobs/{job}/events"),
        ("GET", f"/v1/jobs/{job}/result"),
        ("DELETE", f"/v1/jobs/{job}"),
    ):
        assert ben.ask(method, path)[0] == 404, path
        assert ben.ask(method, path) == ben.ask(method, path.replace(job, str(uuid.uuid4())))
    assert job not in {each["id"] for each in ben.ask("GET", "/v1/jobs")[1]["jobs"]}
    assert studio.get(f"/v1/jobs/{job}")[0] == 404  # the owner of the machine asks for his own
    assert ana.ask("GET", f"/v1/jobs/{job}/result")[0] == 200


def test_another_users_running_job_cannot_be_ended(studio, ana, ben):
    job = ana.put_job(ana.put_layer(FACE), edits={"steps": 20, "pause_ms": 50})
    ana.wait_for(job, "running")
    assert ben.ask("DELETE", f"/v1/jobs/{job}")[0] == 404
    assert ana.wait_for(job)["state"] == "done"


def test_the_same_job_id_is_another_job_for_each(studio, ana, ben):
    job = str(uuid.uuid4())
    ana.put_job(ana.put_layer(FACE), job, edits={"brightness": 1.0})
    ben.put_job(ben.put_layer(pixel_body(8, 8, value=5)), job, edits={"brightness": 2.0})
    ana.wait_for(job), ben.wait_for(job)
    a, b = (one.ask("GET", f"/v1/jobs/{job}/result")[1] for one in (ana, ben))
    assert (a[-1], b[-1]) == (78, 7)


def test_a_picture_is_not_to_be_had_by_its_sha256(studio, ana, ben):
    name = ana.put_layer(body := pixel_body(20, 20, value=91))
    assert name == hashlib.sha256(body).hexdigest()
    assert ben.ask("GET", f"/v1/layers/{name}")[0] == 404
    edit = {"kind": "edit", "layer": name}
    assert ben.ask("PUT", f"/v1/jobs/{uuid.uuid4()}", edit)[0] == 404
    assert ben.ask("PUT", f"/v1/previews/{uuid.uuid4()}", {"layer": name})[0] == 404
    own = ben.put_layer(FACE)
    for field in ("mask", "source"):
        fields = {"kind": "mix" if field == "source" else "edit", "layer": own, field: name}
        if field == "source":
            fields["layers"] = [0, 1]
        assert ben.ask("PUT", f"/v1/jobs/{uuid.uuid4()}", fields)[0] == 404
    assert ben.ask("PUT", f"/v1/layers/{name}", b"not the picture")[0] == 400
    assert ben.ask("GET", f"/v1/layers/{name}")[0] == 404
    assert ben.put_layer(body) == name  # whoever has it may send it
    assert ben.ask("GET", f"/v1/layers/{name}")[0] == 200


def test_a_latent_is_its_finders_and_its_bringers(studio, ana, ben):
    brought = b"a latent" * 9
    name = hashlib.sha256(brought).hexdigest()
    assert ana.ask("PUT", f"/v1/latents/{name}", brought)[0] == 201
    assert ana.ask("GET", f"/v1/latents/{name}") == (200, brought)
    assert ben.ask("GET", f"/v1/latents/{name}")[0] == 404
    job = ana.put_job(ana.put_layer(FACE), kind="invert")
    key = ana.wait_for(job, "done")["report"]["inversion_key"]
    folder = studio.home / "cache" / "inversions"
    folder.mkdir(exist_ok=True)
    (folder / f"{key}.safetensors").write_bytes(b"found")
    assert ana.ask("GET", f"/v1/latents/{key}") == (200, b"found")
    assert ben.ask("GET", f"/v1/latents/{key}")[0] == 404


def test_previews_of_two_users_do_not_overtake_each_other(studio, ana, ben):
    session, answers = str(uuid.uuid4()), []
    for one, value in ((ana, 10), (ben, 60)):
        layer = one.put_layer(pixel_body(32, 32, value=value))
        status, body = one.ask("PUT", f"/v1/previews/{session}", {"layer": layer, "side": 32})
        answers.append((status, body[-1]))
    assert answers == [(200, 10), (200, 60)]


def test_a_revoked_token_counts_no_more_and_its_jobs_end(studio):
    cora = studio.add("cora")
    job = cora.put_job(cora.put_layer(FACE), edits={"steps": 100, "pause_ms": 100})
    cora.wait_for(job, "running")
    connection = cora.connect()
    headers = {"Authorization": f"Bearer {cora.token}"}
    connection.request("GET", f"/v1/jobs/{job}/events", headers=headers)
    stream = connection.getresponse()
    assert stream.status == 200
    studio.revoke("cora")
    assert cora.ask("GET", "/v1/jobs")[0] == 401
    assert b'"state":"done"' not in stream.read()  # it ends
    connection.close()
    wait_until(lambda: studio.get("/v1/health")[1]["worker"]["state"] == "ready")
    again = studio.add("cora")  # the same name, another person perhaps
    assert again.ask("GET", "/v1/jobs") == (200, {"jobs": []})
    assert again.ask("GET", f"/v1/jobs/{job}")[0] == 404


def test_many_jobs_of_one_do_not_keep_another_waiting(open_studio):
    studio = open_studio()
    ana, ben = studio.add("ana"), studio.add("ben")
    layer, slow = ana.put_layer(FACE), {"steps": 10, "pause_ms": 100}
    jobs = [ana.put_job(layer, edits=slow) for _ in range(8)]
    theirs = ben.put_job(ben.put_layer(FACE), edits=slow)
    ben.wait_for(theirs, "done")
    assert ana.job(jobs[-1])["state"] == "queued"


def test_quotas_are_each_users_own(open_studio):
    limits = {"user_queued": 3, "user_layer_bytes": 20_000, "max_queued": 50}
    studio = open_studio(limits=limits)
    ana, ben = studio.add("ana"), studio.add("ben")
    layer = ana.put_layer(FACE)
    long = {"steps": 100, "pause_ms": 100}
    first = ana.put_job(layer, edits=long)
    ana.wait_for(first, "running")
    for _ in range(3):
        ana.put_job(layer, edits=long)
    with pytest.raises(QueueFullError, match="3 of your jobs"):
        ana.client.put_job(EditRequest(layer=layer))
    assert ben.put_job(ben.put_layer(pixel_body(8, 8)))
    with pytest.raises(StorageError, match="you may have"):
        ana.put_layer(pixel_body(64, 64, value=1))  # with the layer that her jobs need: too much
    assert ben.put_layer(pixel_body(64, 64, value=1))
    assert ana.ask("GET", f"/v1/layers/{layer}")[0] == 200


def test_whoever_asks_too_often_waits_and_others_do_not(open_studio):
    studio = open_studio(limits={"user_requests_s": 0.2, "user_burst": 15})
    ana, ben = studio.add("ana"), studio.add("ben")
    answers = [ana.ask("GET", "/v1/health")[0] for _ in range(25)]
    assert answers[:15] == [200] * 15
    assert 429 in answers[15:]
    assert ben.ask("GET", "/v1/health")[0] == 200
    wait_until(lambda: ana.ask("GET", "/v1/health")[0] == 200)


def test_wrong_tokens_are_counted_by_address_and_a_right_one_still_opens(open_studio):
    studio = open_studio(limits={"address_failures": 10})
    ana = studio.add("ana")
    answers = [Visitor(studio, "lfu_guess").ask("GET", "/v1/health")[0] for _ in range(20)]
    assert answers[:10] == [401] * 10 and 429 in answers[10:]
    assert ana.ask("GET", "/v1/health")[0] == 200


def test_the_audit_says_who_what_whence_and_never_a_token_or_a_pixel(open_studio):
    studio = open_studio()
    ana = studio.add("ana")
    ana.source = "127.0.0.9"
    client = ana.client
    body = b"LFPX" + FACE[4:16] + b"secret pixels..." * (len(FACE[16:]) // 16)
    layer = client.send_layer(body)
    job = ana.put_job(layer)
    ana.wait_for(job)
    ana.ask("GET", f"/v1/jobs/{job}/result")
    Visitor(studio, "lfu_guess").ask("GET", f"/v1/jobs/{job}")
    ana.ask("POST", "/v1/shutdown")
    wait_until(lambda: len(studio.audited) >= 5)
    rows = [(row["user"], row["from"], row["what"], row["status"]) for row in studio.audited]
    assert ("ana", "127.0.0.1", f"PUT /v1/layers/{layer}", 201) in rows
    assert ("ana", "127.0.0.9", f"PUT /v1/jobs/{job}", 201) in rows
    assert ("ana", "127.0.0.9", f"GET /v1/jobs/{job}/result", 200) in rows
    assert (None, "127.0.0.1", f"GET /v1/jobs/{job}", 401) in rows
    assert ("ana", "127.0.0.9", "POST /v1/shutdown", 403) in rows
    assert {row.get("kind") for row in studio.audited} == {None, "edit"}
    everything = studio.audit + studio.log
    for secret in (ana.token, "lfu_guess", "secret pixels", studio.token):
        assert secret not in everything
    folder = studio.home / "data" / "log"
    assert (folder / "audit.log").stat().st_mode & 0o077 == 0


def test_an_administrator_sees_users_and_figures_and_no_work(open_studio):
    studio = open_studio()
    ana, root = studio.add("ana"), studio.add("root", "administer")
    layer = ana.put_layer(FACE)
    ana.wait_for(ana.put_job(layer))
    status, answer = root.ask("GET", "/v1/users")
    row = next(each for each in answer["users"] if each["name"] == "ana")
    assert status == 200 and (row["ended"], row["layer_bytes"]) == (1, len(FACE))
    status, text = root.ask("GET", "/v1/metrics")
    assert status == 200
    assert b'latentfu_jobs{user="ana",state="done"} 1' in text
    assert b'latentfu_requests_total{user="ana",status="201"} 2' in text
    assert b"latentfu_memory_bytes" in text
    assert layer.encode() not in text and ana.token.encode() not in text
    assert root.ask("GET", "/v1/jobs") == (200, {"jobs": []})
    assert root.ask("POST", "/v1/shutdown")[0] == 200
    assert studio.process.wait(20) == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "x", "users": []}', "\0"])
def test_a_damaged_list_of_users_lets_nobody_in(open_studio, content):
    studio = open_studio()
    ana = studio.add("ana")
    assert ana.ask("GET", "/v1/health")[0] == 200
    path = studio.home / "config" / "users.json"
    kept = path.read_text()
    path.write_text(content)
    assert ana.ask("GET", "/v1/health")[0] == 401
    with studio.at_home(), pytest.raises(StorageError, match="is damaged"):
        add_user("eve", "administer")
    path.write_text(kept)
    wait_until(lambda: ana.ask("GET", "/v1/health")[0] == 200)


def test_tokens_are_kept_as_hashes_in_a_file_of_their_owner(isolated_home):
    user, token = add_user("ana", "edit")
    text = users_path().read_text()
    assert token not in text and user.token_hash in text
    assert users_path().stat().st_mode & 0o777 == 0o600
    assert len(token) >= 47
    for name in ("ana", "ANA", "", "a b", "../x", "a" * 64, "a\n"):
        with pytest.raises(BadInputError):
            add_user(name, "edit")
    assert revoke_user("ana") == user
    assert read_users() == []
    with pytest.raises(BadInputError, match="there are: none"):
        revoke_user("ana")
    assert json.loads(users_path().read_text())["users"] == []


def test_the_client_tells_a_refusal_from_an_absence(studio, ana):
    with pytest.raises(NotFoundError):
        ana.client.job(str(uuid.uuid4()))
    stranger = Visitor(studio, "lfu_guess")
    with pytest.raises(ServerError, match="refuses: The request carries no token"):
        _ = stranger.client
    studio.stop()
    with pytest.raises(ServerError, match="does not answer"):
        _ = ana.client
    studio.start()
    assert ssl.OPENSSL_VERSION_INFO >= (1, 1, 1)
