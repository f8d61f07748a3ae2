"""The answer to a provider's redirect: where it leads when it signs a user in, and when it does not."""

import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.access import PROFILES
from web import counters, return_address
from web.return_address import ReturnAddress


@pytest.fixture
def client(monkeypatch):
    """A browser of a team's server, which signs in whoever comes with the code "right"."""
    monkeypatch.setattr(return_address, "profile", lambda: PROFILES["team"])

    async def callback(request):
        answer = RedirectResponse("/", 302)
        if request.query_params.get("code") == "right":
            answer.set_cookie("_streamlit_user", "x" * 40)
        elif "code" in request.query_params:
            answer.delete_cookie("_streamlit_user")
        return answer

    return TestClient(ReturnAddress(Starlette(routes=[Route("/oauth2callback", callback)])), follow_redirects=False)


@pytest.mark.parametrize(
    "query", ["code=wrong&state=x", "error=access_denied&state=x", "state=replayed", "code=&code=x"]
)
def test_what_signs_nobody_in_leads_to_a_page_that_says_so(client, query):
    before = counters.counts("refused").get((("reason", "sign-in"),), 0)
    client.cookies.set("plumbline_return", "%2Fdata")
    answer = client.get(f"/oauth2callback?{query}")
    assert answer.headers["location"] == "/?sign-in=refused"
    assert not any(line.startswith("plumbline_return") for line in answer.headers.get_list("set-cookie")), "kept"
    assert counters.counts("refused")[("reason", "sign-in"),] == before + 1


def test_a_sign_in_and_a_sign_out_are_no_refusals(client):
    assert client.get("/oauth2callback?code=right&state=x").headers["location"] == "/"
    assert client.get("/oauth2callback").headers["location"] == "/"
    client.cookies.set("plumbline_return", "%2Fdata")
    assert client.get("/oauth2callback?code=right&state=x").headers["location"] == "/data"
