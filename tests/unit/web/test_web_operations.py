"""Headers, readiness, metrics and logs of the server: for whom they are, and what they say."""

from __future__ import annotations

import io
import json
import logging
import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from core import readiness
from core.access import LOCAL
from core.catalog import Run, RunState, figures, runs
from core.errors import StorageError
from tests.unit.web.asgi import Answer, ask, in_thread, scope_of
from web import counters, metrics, security_headers
from web.endpoints import ROUTES
from web.logs import JsonLines
from web.paths import purpose
from web.peer import address_of, is_local
from web.request_guard import RequestGuard
from web.request_log import RequestLog
from web.run_ends import RunEnds
from web.security_headers import SecurityHeaders


@pytest.fixture
def app() -> Starlette:
    """The server's own addresses behind its middleware."""
    return Starlette(
        routes=ROUTES, middleware=[Middleware(layer) for layer in (RequestLog, SecurityHeaders, RequestGuard)]
    )


def got(app: Any, path: str, address: str = "127.0.0.1", **headers: str) -> Answer:
    answer: Answer = in_thread(ask(app, scope_of(path, address=address, **headers)))
    return answer


SENDERS: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("127.0.0.1", {}, True),
    ("::1", {}, True),
    ("::ffff:127.0.0.1", {}, True),
    ("192.0.2.1", {}, False),
    ("127.0.0.1", {"x_forwarded_for": "127.0.0.1"}, False),  # a proxy on this machine passed it on
    ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, False),
    ("127.0.0.1", {"x_real_ip": "127.0.0.1"}, False),
    ("unix", {}, False),
)


def test_what_is_for_this_machine_is_answered_to_no_one_else(app: Any, home: Any) -> None:
    for address, headers, local in SENDERS:
        assert is_local(scope_of(address=address, **headers)) is local
        for path in ("/metrics", "/ready"):
            answer = got(app, path, address, **headers)
            assert answer.status == (200 if local else 403)
            assert ("plumbline" in answer.text or "ready" in answer.text) is local
        for path in ("/_stcore/metrics", "/_stcore/metrics/", "/_stcore/agent/interact"):
            assert got(app, path, address, **headers).status == (404 if local else 403)
        assert got(app, "/robots.txt", address, **headers).text == "User-agent: *\nDisallow: /\n"


def test_every_answer_has_the_headers_once(app: Any, home: Any) -> None:
    for path, host in (("/robots.txt", "localhost"), ("/nothing", "localhost"), ("/", "evil.example")):
        headers = got(app, path, host=host).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
        assert "unsafe" not in policy["script-src"].replace("wasm-unsafe-eval", "")
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
    assert "sandbox" in got(app, "/media/some.html").headers["content-security-policy"]
    assert re.search(r"'sha256-.{43}='", security_headers.content_policy())


def test_readiness_names_what_fails_and_keeps_the_reason(
    app: Any, home: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert json.loads(got(app, "/ready").text) == {"ready": True, "checks": dict.fromkeys(readiness.CHECKS, "ok")}

    def away() -> None:
        raise StorageError("The storage s3://secret-bucket cannot be reached.")

    monkeypatch.setitem(readiness.CHECKS, "storage", away)
    answer = got(app, "/ready")
    assert answer.status == 503
    assert json.loads(answer.text)["checks"] == {**dict.fromkeys(readiness.CHECKS, "ok"), "storage": "failed"}
    assert "secret-bucket" not in answer.text
    assert "secret-bucket" in caplog.text


def test_metrics_count_runs_requests_and_refusals(app: Any, home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for state in (RunState.QUEUED, RunState.QUEUED, RunState.SUCCEEDED):
        runs.add(Run(task="sleep", state=state, workspace="local", queued_at=0.0), access=LOCAL)
    counters.count("refused", reason='a "quoted"\nreason')
    before = counters.counts("requests").get((("purpose", "robots"), ("status", "2xx")), 0)
    got(app, "/robots.txt", "192.0.2.1")
    lines = got(app, "/metrics").text.splitlines()
    assert 'plumbline_runs{state="QUEUED"} 2' in lines
    assert 'plumbline_queue_length{lane="long"} 2' in lines
    assert any(re.fullmatch(r'plumbline_queue_wait_seconds\{lane="long"\} \d{10}(\.\d+)?', line) for line in lines)
    assert f'plumbline_requests_total{{purpose="robots",status="2xx"}} {before + 1:g}' in lines
    assert 'plumbline_refused_total{reason="a \\"quoted\\"\\nreason"} 1' in lines
    form = re.compile(r'# (HELP|TYPE) plumbline_\w+ .+|plumbline_\w+(\{(\w+="([^"\\]|\\.)*",?)+\})? [-+.e\d]+')
    assert [line for line in lines if not form.fullmatch(line)] == []

    def broken() -> None:
        raise StorageError("The catalog cannot be used: it is locked.")

    monkeypatch.setattr(metrics, "run_figures", broken)
    text = got(app, "/metrics").text
    assert "plumbline_catalog_up 0" in text
    assert "plumbline_runs" not in text


def test_a_line_of_the_log_is_one_line_whatever_it_says() -> None:
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(JsonLines())
    log = logging.Logger("test")
    log.addHandler(handler)
    hostile = 'x\n{"level": "info"}\r\x1b[31m\u2028'
    log.error("name %s", hostile, extra={"fields": {"event": hostile}})
    line = output.getvalue()
    assert line.count("\n") == 1
    assert line.isascii()
    assert "\x1b" not in line
    assert json.loads(line)["message"] == f"name {hostile}"
    assert json.loads(line)["event"] == hostile


def test_requests_are_logged_without_what_they_name(
    app: Any, installation: Any, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with installation(tmp_path, LOG_FORMAT="json"):
        got(app, "/_stcore/upload_file/secret-session/secret-file", "192.0.2.1")
        got(app, "/data", "192.0.2.1", host="secret.example\n")
    fields = [record.fields for record in caplog.records if hasattr(record, "fields")]
    assert [(item["event"], item["status"]) for item in fields] == [
        ("request", 404),
        ("refused", 403),
        ("request", 403),
    ]
    assert fields[0] == fields[0] | {"purpose": "upload", "address": "192.0.2.1", "method": "GET"}
    assert "secret" not in str(fields)


def test_ends_of_runs_are_reported_once(home: Any) -> None:
    ends = RunEnds(100.0)
    assert ends.news() == []
    values = {"task": "sleep", "workspace": "local", "title": "secret"}
    row = runs.add(Run(state=RunState.FAILED, finished_at=4e9, elapsed_s=2.5, **values), access=LOCAL)
    (news,) = ends.news()
    assert (news.id, news.state, news.elapsed_s, news.task) == (row.id, "FAILED", 2.5, "sleep")
    assert not hasattr(news, "title")
    assert ends.news() == []
    assert figures.ended_since(5e9) == []


def test_a_purpose_names_nothing_of_a_path() -> None:
    paths = ["/", "/data", "/_stcore/stream", "/media/abc.csv", "/_stcore/upload_file/a/b", "/x/../metrics", "/ready/"]
    purposes = ["page", "page", "socket", "download", "upload", "page", "ready"]
    assert [purpose(path) for path in paths] == purposes
    assert address_of({"client": None, "headers": [], "type": "http"}) == "unknown"


def test_the_port_that_a_proxy_names_is_not_part_of_an_address() -> None:
    addresses = {
        "192.0.2.7:41000": "192.0.2.7",
        "192.0.2.7": "192.0.2.7",
        "[2001:db8:1:2::5]:41000": "2001:db8:1:2::/64",
        "[2001:db8:1:2::6]": "2001:db8:1:2::/64",
        "2001:db8:1:2::7": "2001:db8:1:2::/64",
        "fe80::1%eth0": "fe80::/64",
        "": "",
    }
    for host, address in addresses.items():
        assert address_of({"client": (host, 40_000), "headers": [], "type": "http"}) == address
    assert is_local({"client": ("[::1]:9000", 9000), "headers": []})
    assert not is_local({"client": ("127.0.0.1.example.org", 1), "headers": []})
