"""The start of the server: what has to be right before it takes requests, and what it begins with."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

import anyio
import streamlit as st
from streamlit import config, net_util
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager

from core import installation, jobs, process_memory, query
from core.access import SETTING, check_secret, limits, profile
from core.errors import PlumblineError, SettingsError, StorageError
from core.private_folder import PRIVATE_UMASK
from core.settings import get_settings
from web.download_limits import limit_downloads
from web.limits import web_limits
from web.logs import write_json_lines
from web.run_ends import watch_ends

if TYPE_CHECKING:
    from streamlit.starlette import App

__all__ = ["check", "check_sign_in", "check_upload_limit", "check_visitors", "lifespan", "require_middleware"]

_UPLOAD_LIMIT = "server.maxUploadSize"
_MESSAGE_LIMIT = "server.maxWidgetStateSize"
_QUERIES_MB = 400  # to decode a column of long texts takes most of it, as when a model of them is registered
_SECRET_CHARS = 32
_CACHES_BELOW_MB = 520  # of this process; above it, what is read next takes the place of what was read before
_log = logging.getLogger("plumbline")
_has_middleware = False


def check() -> None:
    """End the process with one sentence where the server cannot work as it is set.

    What is wrong with its folder, catalog or storage is logged. What the server makes, only its own user can read.
    """
    os.umask(PRIVATE_UMASK)
    try:
        if get_settings().log_format == "json":
            write_json_lines()
        check_upload_limit()
        config.set_option(_MESSAGE_LIMIT, web_limits().message_mb)
        check_sign_in()
        check_visitors()
        jobs.require_sandbox()
        installation.check()
    except StorageError as error:  # pages say so too, until it is put right
        _log.error(str(error))
    except PlumblineError as error:
        sys.exit(str(error))


def check_sign_in() -> None:
    """Raise SettingsError where people are to sign in, and the server does not know a provider."""
    if not profile().signs_in:
        return
    hint = "README's section on teams shows the file. PLUMBLINE_PROFILE=local serves one person without sign-in."
    section = st.secrets["auth"] if st.secrets.load_if_toml_exists() and "auth" in st.secrets else {}
    missing = [name for name in ("redirect_uri", "cookie_secret") if not section.get(name)]
    if missing:
        lacks = " and ".join(missing)
        raise SettingsError(f"PLUMBLINE_PROFILE=team needs {lacks} under [auth] in .streamlit/secrets.toml.", hint)
    if len(section["cookie_secret"]) < _SECRET_CHARS:
        raise SettingsError(f"cookie_secret has fewer than {_SECRET_CHARS} characters.", "Use a long random one.")
    if importlib.util.find_spec("authlib") is None:
        raise SettingsError("Sign-in needs Authlib, which is not installed.", "pip install 'streamlit[auth]'")


def check_visitors() -> None:
    """Raise SettingsError where strangers would come to a server that does not keep them apart, or within limits."""
    if not profile().visitors:
        return
    check_secret()
    settings = get_settings()
    if settings.sandbox == "off":
        raise SettingsError(
            "PLUMBLINE_PROFILE=demo needs PLUMBLINE_SANDBOX=bubblewrap: runs of strangers work in a sandbox.",
            "Install bubblewrap (on Debian: apt-get install bubblewrap) and set it.",
        )
    if settings.memory_limit_mb is None:
        raise SettingsError(
            "PLUMBLINE_PROFILE=demo needs PLUMBLINE_MEMORY_LIMIT_MB: the memory that a run may take.",
            "Divide what the machine has by the runs that work at the same time, such as 4000.",
        )
    if settings.max_stored_mb is None:
        raise SettingsError(
            "PLUMBLINE_PROFILE=demo needs PLUMBLINE_MAX_STORED_MB: the size of all stored files together.",
            "Leave some of the disk free: nobody else limits how many visitors come.",
        )
    own = limits()
    for field in fields(own):
        if getattr(own, field.name) is None:
            variable = f"PLUMBLINE_{SETTING.upper()}{field.name.upper()}"
            raise SettingsError(
                f"PLUMBLINE_PROFILE=demo needs all limits of a workspace, and {variable}=0 switches one off.",
                "Set it to a number, or leave it out for the one of the profile.",
            )
    for variable in ("TENSORBOARD_LOGGING_DIR", "MLFLOW_TRACKING_URI"):
        if os.environ.get(variable):
            raise SettingsError(f"{variable} has no place in a demo: visitors' runs would write there.", "Unset it.")


def check_upload_limit() -> None:
    """Raise SettingsError where the server would refuse files that the pages promise to take.

    Otherwise the server takes files up to the setting, and no larger ones.
    """
    limit_mb, served_mb = get_settings().max_upload_mb, config.get_option(_UPLOAD_LIMIT)
    if limit_mb > served_mb:
        raise SettingsError(
            f"PLUMBLINE_MAX_UPLOAD_MB is {limit_mb}, and the server takes uploads up to {served_mb} MB.",
            f"Raise the limit of the server too, with --{_UPLOAD_LIMIT}={limit_mb} or in .streamlit/config.toml, or "
            f"set PLUMBLINE_MAX_UPLOAD_MB to {served_mb} at most.",
        )
    config.set_option(_UPLOAD_LIMIT, limit_mb)


def require_middleware() -> None:
    """Raise SettingsError where several people use a server that Streamlit started without what app.py puts before it.

    Nothing would be checked at its start then, and requests would have no limits. Tests of pages have no server.
    """
    served = Runtime.exists() and type(Runtime.instance()) is Runtime
    if served and not _has_middleware and (profile().signs_in or profile().visitors):
        raise SettingsError(
            "This server was started without its protection: by navigation.py, which app.py runs.",
            "Start it with: streamlit run app.py",
        )


@asynccontextmanager
async def lifespan(_app: App) -> AsyncIterator[None]:
    """Begin what works beside the requests of a server; it ends with the process."""
    global _has_middleware
    _has_middleware = True
    # Until st.navigation has run once, the folder `pages` makes Streamlit look for an app of its older kind.
    PagesManager.uses_pages_directory = False
    # To compare origins with, Streamlit asks a service on the internet which address this machine has there.
    net_util.get_external_ip = lambda: None
    process_memory.use_system_allocator()
    process_memory.keep_below(_CACHES_BELOW_MB)
    query.limit_memory(_QUERIES_MB)
    limit_downloads(web_limits().all_downloads_mb)
    from altair.utils import schemapi  # not before: it loads Arrow

    schemapi.disable_debug_mode()  # tests draw every chart with it; it doubles the time of each
    jobs.warm_up()
    jobs.keep_time()
    async with anyio.create_task_group() as tasks:
        if get_settings().log_format == "json":
            tasks.start_soon(watch_ends)
        yield
        tasks.cancel_scope.cancel()
    _has_middleware = False
