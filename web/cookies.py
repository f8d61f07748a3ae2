"""Cookies of the server's own: which answers may set them, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Message, Scope

__all__ = ["is_page", "set_cookie"]


def is_page(message: Message) -> bool:
    """Return whether the start of an answer is that of a page."""
    headers = {name.lower(): value for name, value in message.get("headers", [])}
    return message["status"] == 200 and bytes(headers.get(b"content-type", b"")).startswith(b"text/html")


def set_cookie(scope: Scope, name: str, value: str, max_age_s: int) -> tuple[bytes, bytes]:
    """Return the header that sets a cookie, which scripts and requests from other sites do not get."""
    secure = "; Secure" if scope["scheme"] == "https" else ""  # uvicorn has it from proxies that it trusts alone
    text = f"{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"
    return (b"set-cookie", text.encode("ascii"))
