"""Limits on the uploaded files that are held in memory: Streamlit keeps each until its session ends or drops it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from web.limits import WebLimits, web_limits
from web.paths import purpose, route_of
from web.peer import header
from web.refusal import Refusal, refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Held", "UploadLimits", "held_uploads"]

Held = Mapping[str, int]
"""Bytes of uploaded files in memory by session."""

_TOO_LARGE = 413
_MB = 2**20
_EVENTS = 2  # the container of short messages, beside those of the page and of the sidebar
_SHOWN_S = 20


class _TooLargeError(Exception):
    """The body of a request is larger than what is left of a limit."""


class UploadLimits:
    """Middleware that answers 413 to uploads for which a session, or the server, has no memory left.

    A body whose length is known is refused before it is read; others are counted while they come. What other uploads
    announced and have not sent yet counts as well.

    Parameters
    ----------
    app : ASGI application
        Application that takes the other uploads.
    limits : callable, default=web_limits
        Function that returns the limits.
    held : callable, default=held_uploads
        Function that returns the bytes in memory by session.
    """

    def __init__(
        self, app: ASGIApp, limits: Callable[[], WebLimits] = web_limits, held: Callable[[], Held] | None = None
    ) -> None:
        self._app = app
        self._limits = limits
        self._held = held or held_uploads
        self._coming: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or purpose(scope["path"]) != "upload":
            await self._app(scope, receive, send)
            return
        session = route_of(scope["path"]).split("/")[3]
        declared = int(length) if (length := header(scope, b"content-length") or "").isdecimal() else 0
        left, refusal = self._left(session)
        if left < max(declared, 1):
            await self._refuse(refusal, session, scope, receive, send)
            return
        taken, received, started = declared, 0, False
        self._coming[session] += declared

        async def counted() -> Message:
            nonlocal taken, received
            message = await receive()
            received += len(message.get("body", b""))
            if received > taken:
                more = received - taken
                taken = received
                self._coming[session] += more
                if self._left(session)[0] < 0:
                    raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLargeError:
            if started:
                raise
            await self._refuse(refusal, session, scope, receive, send)
        finally:
            self._coming[session] -= taken
            if not self._coming[session]:
                del self._coming[session]

    def _left(self, session: str) -> tuple[int, Refusal]:
        """Return how many bytes may still come, and what is said where that is too little."""
        limits, held = self._limits(), self._held()
        of_session = limits.session_uploads_mb * _MB - held.get(session, 0) - self._coming[session]
        of_all = limits.all_uploads_mb * _MB - sum(held.values()) - sum(self._coming.values())
        if of_session <= of_all:
            words = (
                f"The file was not taken: files of one visit may have {limits.session_uploads_mb:,} MB together. "
                "Choose a smaller file, or load the page again to drop the files before it."
            )
            return of_session, Refusal(_TOO_LARGE, "uploads of a session", words)
        words = (
            "The file was not taken: visitors have filled the memory for uploads "
            f"({limits.all_uploads_mb:,} MB). Try again later, or choose a smaller file."
        )
        return of_all, Refusal(_TOO_LARGE, "uploads of all", words)

    async def _refuse(self, refusal: Refusal, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        _show(session, refusal.words)
        await refuse(refusal, scope, receive, send)


def held_uploads() -> Held:
    """Return the bytes of uploaded files in memory by session."""
    if not Runtime.exists():
        return {}
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    files = {session: list(files.values()) for session, files in list(manager.file_storage.items())}
    return {session: sum(len(file.data) for file in held) for session, held in files.items()}


def _show(session: str, words: str) -> None:
    """Show words on the page of a session: the field for uploads itself says no more than the status."""
    app_session = Runtime.instance().get_app_session(session) if Runtime.exists() else None
    if app_session is None:
        return
    message = ForwardMsg()
    toast = message.delta.new_element.toast
    toast.body, toast.icon, toast.duration = words, ":material/upload_file:", _SHOWN_S
    message.metadata.delta_path.extend([_EVENTS, 0])
    app_session._enqueue_forward_msg(message)
