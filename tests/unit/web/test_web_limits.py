"""What is too much is refused with a status and in words, before it costs anything, and ends by itself."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from core.access.profiles import PROFILES
from core.errors import LimitError
from core.settings import Settings
from tests.unit.web.asgi import Answer, ask, in_thread, scope_of
from web.download_limits import held_downloads, limit_downloads
from web.limits import LIMITS, WebLimits, web_limits
from web.request_limits import RequestLimits
from web.token_buckets import TokenBuckets
from web.upload_limits import UploadLimits

MB = 2**20
SMALL = replace(LIMITS["demo"], session_uploads_mb=2, all_uploads_mb=3, requests_per_minute=3, sign_ins_per_minute=2)
UPLOAD = "/_stcore/upload_file/session-a/file-1"


async def takes_all(scope: Any, receive: Any, send: Any) -> None:
    """Read the whole body, then say so."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def limited(layer: Any = RequestLimits, limits: WebLimits = SMALL, **values: Any) -> Any:
    return layer(takes_all, lambda: limits, **values)


def test_each_profile_has_limits_and_each_limit_a_setting(installation: Any, tmp_path: Any) -> None:
    assert set(LIMITS) == {profile.name for profile in PROFILES.values()}
    assert {field.name for field in fields(WebLimits)} <= set(Settings.model_fields)
    for field in fields(WebLimits):  # a demo is the strictest, a single person meets no limit of a team
        assert getattr(LIMITS["local"], field.name) >= getattr(LIMITS["team"], field.name)
        assert getattr(LIMITS["team"], field.name) >= getattr(LIMITS["demo"], field.name)
    with installation(tmp_path, PROFILE="team", SOCKETS_PER_ADDRESS="7"):
        assert web_limits() == replace(LIMITS["team"], sockets_per_address=7)


def test_a_bucket_refills_with_time_and_forgets_whom_it_did_not_see() -> None:
    now = [0.0]
    buckets = TokenBuckets(60, max_keys=2, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == pytest.approx(1.0)
    now[0] = 0.5
    assert buckets.take("a") == pytest.approx(0.5)
    now[0] = 1.5
    assert buckets.take("a") == 0.0
    now[0] = 1e6
    assert [buckets.take("a") for _ in range(61)][-2:] == [0.0, pytest.approx(1.0)]  # no more than it holds
    for key in "bc":
        buckets.take(key)
    assert buckets.take("a") == 0.0


def test_requests_of_one_address_are_limited_and_others_are_answered() -> None:
    async def ask_all() -> list[Answer]:
        app = limited()
        mine = [await ask(app, scope_of("/data")) for _ in range(4)]
        return [
            *mine,
            await ask(app, scope_of("/data", address="192.0.2.2")),
            await ask(app, scope_of("/_stcore/health")),
        ]

    *fine, refused, other, health = in_thread(ask_all())
    assert [answer.status for answer in (*fine, other, health)] == [204] * 5
    assert refused.status == 429
    assert refused.text == "Your address has sent too many requests. Try again in 20 seconds."
    assert refused.headers["retry-after"] == "20"


def test_sign_ins_are_limited_apart_and_networks_of_ipv6_count_as_one() -> None:
    async def ask_all() -> list[Answer]:
        app = limited(limits=replace(SMALL, requests_per_minute=1_000))
        paths = ("/auth/login", "/oauth2callback", "/auth/login", "/data")
        return [await ask(app, scope_of(path, address=f"2001:db8:0:1::{i}")) for i, path in enumerate(paths)]

    answers = in_thread(ask_all())
    assert [answer.status for answer in answers] == [204, 204, 429, 204]
    assert "too many sign-ins" in answers[2].text


def test_open_pages_of_one_address_are_limited_until_one_closes() -> None:
    stream = scope_of("/_stcore/stream", kind="websocket")

    async def ask_all() -> list[Answer]:
        closed = asyncio.Event()

        async def stays(scope: Any, receive: Any, send: Any) -> None:
            await takes_all(scope, receive, send)
            if scope["type"] == "websocket":
                await closed.wait()

        app = RequestLimits(stays, lambda: replace(SMALL, sockets_per_address=1, requests_per_minute=100))  # type: ignore[arg-type]
        first = asyncio.create_task(ask(app, stream))
        await asyncio.sleep(0)
        second, health = await ask(app, stream), await ask(app, scope_of("/_stcore/health"))
        other = asyncio.create_task(ask(app, {**stream, "client": ("192.0.2.9", 1)}))
        await asyncio.sleep(0)
        closed.set()
        return [await first, second, health, await other, await ask(app, stream)]

    first, second, health, other, again = in_thread(ask_all())
    assert [answer.status for answer in (first, second, health, other, again)] == [101, 429, 429, 101, 101]
    assert json.loads(health.text).startswith(
        "Plumbline is open in 1 tabs or windows at your address, which is the limit."
    )


def test_actions_that_come_too_fast_wait_for_their_turn() -> None:
    async def acts() -> list[float]:
        loop, times = asyncio.get_running_loop(), []

        async def page(_scope: Any, receive: Any, _send: Any) -> None:
            for _ in range(4):
                await receive()
                times.append(loop.time())

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.receive", "bytes": b""}

        app: Any = RequestLimits(page, lambda: replace(SMALL, reruns_per_minute=3))  # type: ignore[arg-type]
        task = asyncio.create_task(app(scope_of("/_stcore/stream", kind="websocket"), receive, None))
        await asyncio.sleep(0.05)
        task.cancel()
        return times

    assert len(in_thread(acts())) == 3  # the fourth has to wait for 20 s


@pytest.mark.parametrize("declared", [True, False])
def test_an_upload_beyond_what_a_session_may_hold_is_refused_in_words(declared: bool) -> None:
    chunks = [bytes(MB // 2)] * 3
    headers = {"content_length": str(3 * MB // 2)} if declared else {}
    app = limited(UploadLimits, held=lambda: {"session-a": MB})
    answer = in_thread(ask(app, scope_of(UPLOAD, "PUT", **headers), chunks))
    assert answer.status == 413
    assert "files of one visit may have 2 MB together" in answer.text
    # Where the length is known, nothing is read; else no more than what shows that it is too much.
    assert answer.read_before == (0 if declared else 3 * MB // 2)
    assert in_thread(ask(app, scope_of(UPLOAD, "PUT", content_length=str(MB)), [bytes(MB)])).status == 204


def test_uploads_of_all_and_those_that_are_coming_count() -> None:
    async def ask_all() -> tuple[Answer, Answer, Answer]:
        held = {"session-b": MB}
        arrived = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await arrived.wait()
            await takes_all(scope, receive, send)

        app: Any = UploadLimits(slow, lambda: SMALL, lambda: held)  # type: ignore[arg-type]
        one = scope_of(UPLOAD, "PUT", content_length=str(3 * MB // 2))
        other = scope_of("/_stcore/upload_file/session-c/file-1", "PUT", content_length=str(MB))
        first = asyncio.create_task(ask(app, one, [bytes(3 * MB // 2)]))
        await asyncio.sleep(0)
        second = await ask(app, other, [bytes(MB)])
        arrived.set()
        return await first, second, await ask(app, other, [bytes(MB)])

    first, second, third = in_thread(ask_all())
    assert (first.status, second.status, third.status) == (204, 413, 204)
    assert "visitors have filled the memory for uploads (3 MB)" in second.text


@pytest.mark.parametrize("length", ["-1", "1e9", "٣", "99999999999999999999"])
def test_an_odd_length_is_not_believed(length: str) -> None:
    scope = scope_of(UPLOAD, "PUT")
    scope["headers"].append((b"content-length", length.encode()))
    assert in_thread(ask(limited(UploadLimits, held=dict), scope, [bytes(MB)] * 3)).status == 413


def test_files_for_download_are_refused_where_they_fill_the_memory() -> None:
    storage = MemoryMediaFileStorage("/media")
    limit_downloads(1, storage)
    first = storage.load_and_get_id(bytes(MB - 10), "text/csv", MediaFileKind.DOWNLOADABLE, "a.csv")
    with pytest.raises(LimitError, match="files for download fill the memory that they may take"):
        storage.load_and_get_id(b"x" * 11, "text/csv", MediaFileKind.DOWNLOADABLE, "b.csv")
    assert held_downloads(storage) == MB - 10
    storage.delete_file(first)
    assert storage.load_and_get_id(b"x" * 11, "text/csv", MediaFileKind.DOWNLOADABLE, "b.csv")
