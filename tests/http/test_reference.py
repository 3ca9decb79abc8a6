"""The reference page says what the models and the routes say."""

from latentfu.http.reference import REPLIES, REQUESTS, render_page
from latentfu.http.serve import ROUTES
from latentfu.protocol.errors import STATUS
from latentfu.protocol.requests import LIMITS
from pydantic import BaseModel


def test_the_page_has_every_route_code_model_and_field():
    page = render_page()
    for route in ROUTES:
        assert f"`{route.method} {route.path}`" in page
    for code, status in STATUS.items():
        assert f"| `{code}` | {status} |" in page
    for model in (*REQUESTS, *REPLIES):
        assert f"### {model.__name__}\n" in page
        part = page.split(f"### {model.__name__}\n")[1].split("\n### ")[0]
        for name in model.model_fields:
            assert f"| `{name}` |" in part


def test_every_field_of_a_request_is_described_and_has_its_limits():
    for model in REQUESTS:
        for name, field in model.model_fields.items():
            assert name == "kind" or field.description, name
    line = next(one for one in render_page().splitlines() if one.startswith("| `feather`"))
    assert "| number | 12 | {} to {} |".format(*LIMITS["feather"]) in line
    assert set(LIMITS) <= {name for model in REQUESTS for name in model.model_fields}


def test_every_model_of_a_route_is_on_the_page():
    shown = {model.__name__ for model in (*REQUESTS, *REPLIES)}
    used = [route.reply for route in ROUTES if isinstance(route.reply, type)]
    assert all(issubclass(model, BaseModel) for model in used)
    assert {model.__name__ for model in used} <= shown
