"""Requests made from our own OpenAPI document: none breaks the server, each answer is a known one.

``LATENTFU_FUZZ`` is how many times longer than usual it goes on (``nox -s fuzz``).
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from latentfu.http.openapi import openapi_document
from latentfu.http.serve import ROUTES

from tests.support.studio import Studio

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
LONGER = float(os.environ.get("LATENTFU_FUZZ", "1"))
ENDS_IT = ("/v1/shutdown", "/v1/idle-stop", "/v1/drain")
NOT_AT_THE_DOOR = (*ENDS_IT, "/v1/proof")

asked = schemathesis.openapi.from_dict(
    openapi_document([route for route in ROUTES if route.path not in ENDS_IT])
)
asked_by_users = schemathesis.openapi.from_dict(
    openapi_document([route for route in ROUTES if route.path not in NOT_AT_THE_DOOR])
)
if LONGER == 1:  # examples of every border of every field come with the longer run
    for schema in (asked, asked_by_users):
        schema.config.phases.coverage.enabled = False
often = settings(
    max_examples=max(1, round(5 * LONGER)),
    deadline=None,
    database=None,
    derandomize=LONGER == 1,
    suppress_health_check=list(HealthCheck),
)


def check(response, case):
    """No mistake of ours, and nothing that the document does not say."""
    told = f"{case.method} {case.path} {case.body!r}: {response.status_code} {response.text[:300]}"
    assert response.status_code < 500 or response.status_code in (503, 507), told
    documented = {int(code) for code in case.operation.definition.raw["responses"]}
    assert response.status_code in documented | {404, 405, 429}, told
    if response.status_code >= 400:
        error = response.json()["error"]
        assert len(error["message"].splitlines()) == 1, told


@asked.parametrize()
@often
def test_the_servers_owner(server, case):
    headers = {"Authorization": f"Bearer {server.token}"}
    response = case.call(base_url=f"http://127.0.0.1:{server.port}", headers=headers)
    check(response, case)
    assert server.process.poll() is None


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    # As many as a fuzzer asks; some of its requests carry no token on purpose.
    limits = {"user_requests_s": 1e6, "user_burst": 1_000_000, "address_failures": 1_000_000}
    studio = Studio(tmp_path_factory.mktemp("studio"), limits=limits)
    yield studio.add("ana")
    assert studio.stop() == 0


@asked_by_users.parametrize()
@often
def test_a_user_of_a_shared_server(visitor, case):
    headers = {"Authorization": f"Bearer {visitor.token}"}
    certificate = str(visitor.studio.home / "config" / "tls" / "certificate.pem")
    url = f"https://localhost:{visitor.studio.door_port}"
    response = case.call(base_url=url, headers=headers, verify=certificate)
    check(response, case)
    role = case.operation.definition.raw["x-role"]
    assert role == "edit" or response.status_code in (401, 403, 404, 405)
