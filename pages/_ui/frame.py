"""The frame of every page: access, sign-in, and how errors are shown."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from core import installation
from core.access import LOCAL, Access
from core.errors import PlumblineError, lack_of_memory

__all__ = [
    "DEFECT_TITLE",
    "access",
    "errors_shown",
    "guarded",
    "plain",
    "reload_first_deep_link",
    "require_sign_in",
    "show_error",
    "show_notices",
]

DEFECT_TITLE = "Something went wrong on our side"
_JOINER = "\u2060"  # a character without width, which joins what stands on both sides of it
_BLANKS = re.compile(r"[ \t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # they set the direction of what follows, also after the text
_SYMBOLS = re.compile(r"(?<![^\s\ufeff])(?:<->|->|<-|--|>=|<=|~=)(?![^\s\ufeff])")
_SHORTCODES = re.compile(r":(?=([\w+/-]+)(?::|$))")
_LINKS = re.compile(
    r"(?<=:)(?=//) | (?<=http:)(?=/?$) | (?<=https:)(?=/?$) | (?<=www)(?=\.|$) | (?<=@)(?=[\w-]*(?:\.|$))",
    re.IGNORECASE | re.VERBOSE,
)
_MARKUP = str.maketrans({character: "\\" + character for character in "\\`*_{}[]()<>#+-.!|~$:&"})
_served = False
_log = logging.getLogger("plumbline")


def access() -> Access:
    """Return the access of the current user; everything that a page reads or changes passes it on."""
    return replace(LOCAL, actor=_signed_in())


def _signed_in() -> str:
    """Return the name of the signed-in user, or an empty string without sign-in."""
    if not st.user.get("is_logged_in"):
        return ""
    return str(st.user.get("email") or st.user.get("name") or "")


def show_notices() -> None:
    """Show what the operator should know about the installation, such as settings without an effect."""
    for sentence in installation.check():
        st.warning(plain(sentence), icon=":material/settings_alert:")


def reload_first_deep_link() -> None:
    """Load the page again when it is the first of this server and not the start page.

    Streamlit treats the `pages` folder as its older kind of multipage app until `st.navigation` has run once in the
    process, and answers a deep link before that with "Page not found". By the time the browser draws this, its address
    may already be that of the start page, so the address of the link is written out.
    """
    global _served
    first, _served = not _served, True
    path = quote(urlsplit(st.context.url or "").path.strip("/"), safe="/%")
    if first and path:
        query = urlencode(st.query_params.to_dict())
        st.html(
            f"<script>const query = new URLSearchParams('{query}');"
            "new URLSearchParams(window.location.search).forEach((value, name) => query.set(name, value));"
            f"window.location.replace('/{path}?' + query)</script>",
            unsafe_allow_javascript=True,
        )


def require_sign_in() -> None:
    """Ask for sign-in where the installation requires it (``[auth]`` in Streamlit's secrets)."""
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets or st.user.is_logged_in:
        return
    st.title("Plumbline")
    st.write("From a table to a model you can defend.")
    st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login, key="home-sign-in")
    st.stop()


def plain(text: object) -> str:
    """Return a user's text (names, labels), escaped so that Markdown shows it as it is.

    Streamlit replaces what it takes for an address (`www.`), for a symbol (`->`) or for the name of an icon or an emoji
    (`:smile:`) after Markdown was read, whatever is escaped. A character without width keeps those from being one, also
    where the page writes on after the text. Blanks are one blank, as a browser shows them, because four of them at the
    start would be code. Characters that turn the direction of what follows are shown as U+FFFD.
    """
    escaped = _TURNS.sub("\ufffd", _BLANKS.sub(" ", str(text)))
    escaped = _SYMBOLS.sub(lambda match: _JOINER.join(match.group()), escaped)
    escaped = _SHORTCODES.sub(_broken_shortcode, escaped)
    return _LINKS.sub(_JOINER, escaped).translate(_MARKUP)


def _broken_shortcode(match: re.Match[str]) -> str:
    """Return a colon that begins no name of an emoji: a time of day (`12:30:45`) is left as it is."""
    name = match.group(1)
    return f":{_JOINER}" if re.search(r"[A-Za-z+-]", name) or name in ("100", "1234") else ":"


def show_error(message: str, hint: str | None = None) -> None:
    """Show an error: what is wrong, and what to do about it."""
    st.error(plain(hint) if hint else "", title=plain(message), icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Turn errors into messages: Plumbline's own with their hint, unexpected ones with a number for the log."""
    try:
        yield
    except PlumblineError as error:
        show_error(error.message, error.hint)
    except Exception as error:  # noqa: BLE001  (the last guard before a traceback reaches the page)
        if refused := lack_of_memory(error):
            show_error(refused.message, refused.hint)
            return
        number = secrets.token_hex(4)
        _log.exception("unexpected error %s on a page", number)
        st.error(
            f"Nothing you stored is lost. Reload the page. If it fails again, look for `{number}` in the server's log.",
            title=DEFECT_TITLE,
            icon=":material/bug_report:",
        )


def guarded(function: Callable[..., None]) -> Callable[..., None]:
    """Return a fragment or dialog with the same handling of errors: it also runs without the rest of the page."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with errors_shown():
            function(*args, **kwargs)

    return run
