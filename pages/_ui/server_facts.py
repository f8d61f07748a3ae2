"""What readers of a page may learn of the server itself: its paths, hosts and addresses, and what runs printed."""

from __future__ import annotations

import re
import socket

from core.access import has_feature
from core.settings import get_settings

__all__ = ["shown", "without"]

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"]+", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w/])~?(?:/[\w.@+~%-]+){2,}/?")


def shown() -> bool:
    """Return whether readers may see the server's paths, hosts and addresses, and the logs of runs.

    The profile of the installation says so: who has it for themselves may, and members of a team need not.
    """
    return has_feature("server_facts")


def without(text: str) -> str:
    """Return a message as readers may see it: where `shown` says no, what names the server is replaced by a word."""
    if shown():
        return text
    for name in {str(get_settings().home), str(get_settings().home.absolute())}:
        text = re.sub(rf"{re.escape(name)}(?:/[\w.@+~%-]+)*", "(a folder of the server)", text)
    text = _PATH.sub("(a path on the server)", _ADDRESS.sub("(an address)", text))
    host = socket.gethostname()
    return re.sub(rf"(?<!\w){re.escape(host)}(?!\w)", "(the server)", text) if len(host) > 1 else text
