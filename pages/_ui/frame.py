"""The frame of every page: access, sign-in, and how errors are shown."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import streamlit as st

from core import installation
from core.access import EXAMPLES, LOCAL, Access, profile
from core.catalog import audit, workspaces
from core.errors import DeniedError, PlumblineError, lack_of_memory
from core.plain_text import JOINER, inert
from pages._ui import server_facts, sign_in, visitor

__all__ = [
    "DEFECT_TITLE",
    "ICON",
    "WORKSPACE",
    "access",
    "access_kept",
    "errors_shown",
    "guarded",
    "opened",
    "plain",
    "show_error",
    "show_notices",
]

DEFECT_TITLE = "Something went wrong on our side"
ICON = Path(__file__).with_name("icon.svg").read_text(encoding="utf-8")
"""Icon of the browser's tab; browsers would get one of Material's from a server of Google's."""
_SYMBOLS = re.compile(r"(?<![^\s\ufeff])(?:<->|->|<-|--|>=|<=|~=)(?![^\s\ufeff])")
_MARKUP = str.maketrans({character: "\\" + character for character in "\\`*_{}[]()<>#+-.!|~$:&"})
WORKSPACE = "app-workspace"
"""Key of the workspace that is chosen in the sidebar, in the state of the session."""
_accesses: ContextVar[dict[tuple[str | None, str], Access] | None] = ContextVar("accesses", default=None)
_REFUSAL_S = 60.0  # a part that draws itself again and again is refused again and again
_log = logging.getLogger("plumbline")


def access() -> Access:
    """Return the access of the current user; everything that a page reads or changes passes it on.

    Where people sign in, it is that to the workspace they chose in the sidebar, with the role that they have now.
    """
    person = sign_in.person()
    if not profile().signs_in and not profile().visitors:
        return replace(LOCAL, actor=person)
    if profile().signs_in and not person:  # of a part of a page that draws itself again after the sign-in has expired
        raise DeniedError("Your sign-in has expired.", "Load the page again.")
    chosen, known = st.session_state.get(WORKSPACE), _accesses.get()
    if known is not None and (chosen, person) in known:
        return known[chosen, person]
    if sign_in.signed_out():
        raise DeniedError("You have signed out.", "Load the page again.")
    entered = visitor.access(chosen) if profile().visitors else _entered(chosen, person)
    if known is not None:
        known[chosen, person] = entered
    return entered


def _entered(chosen: str | None, person: str) -> Access:
    return workspaces.personal(person) if chosen is None else workspaces.enter(chosen, person)


@contextmanager
def access_kept() -> Iterator[None]:
    """Ask once for the user's role while the script runs; callbacks and parts that run alone ask anew."""
    token = _accesses.set({})
    try:
        yield
    finally:
        _accesses.reset(token)


def opened(kind: str, row_id: str, title: str) -> None:
    """Record that the user looks at something, once per hour, where several people use the installation."""
    if audit.looks_are_recorded() and (own := access()).workspace != EXAMPLES:  # everybody looks at the examples
        audit.once("read", title, key=row_id, access=own, kind=kind)


def show_notices() -> None:
    """Show what the operator should know about the installation, such as settings without an effect."""
    for sentence in installation.check():
        st.warning(plain(sentence), icon=":material/settings_alert:")


def plain(text: object) -> str:
    """Return a user's text (names, labels), escaped so that Markdown shows it as it is.

    What Streamlit replaces after Markdown was read (addresses, names of icons and emoji, symbols such as `->`) has a
    character without width in it; escaping does not help there.
    """
    escaped = inert(text)
    return _SYMBOLS.sub(lambda match: JOINER.join(match.group()), escaped).translate(_MARKUP)


def show_error(message: str, hint: str | None = None) -> None:
    """Show an error: what is wrong, and what to do about it."""
    said = [plain(server_facts.without(text)) for text in (message, hint or "")]
    st.error(said[1], title=said[0], icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Turn errors into messages: Plumbline's own with their hint, unexpected ones with a number for the log."""
    try:
        yield
    except PlumblineError as error:
        show_error(error.message, error.hint)
        if isinstance(error, DeniedError) and audit.looks_are_recorded() and sign_in.person():
            _record_refusal(error)
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


def _record_refusal(error: DeniedError) -> None:
    try:
        audit.once("refused", error.message, key=error.message, within_s=_REFUSAL_S, access=access())
    except PlumblineError as failed:  # such as a person who was removed at this moment
        _log.warning("a refusal was not recorded: %s", failed)


def guarded(function: Callable[..., None]) -> Callable[..., None]:
    """Return a fragment or dialog with the same handling of errors: it also runs without the rest of the page."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with errors_shown():
            function(*args, **kwargs)

    return run
