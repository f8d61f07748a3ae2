"""Plumbline's server. Start it with ``streamlit run app.py``; every visit runs ``navigation.py``."""

import runpy
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.scriptrunner import get_script_run_ctx

from web import startup
from web.request_guard import RequestGuard
from web.visitors import VisitorCookies

NAVIGATION = "navigation.py"

if get_script_run_ctx(suppress_warning=True) is None:
    startup.check()
    layers = [Middleware(RequestGuard), Middleware(VisitorCookies)]
    app = st.App(NAVIGATION, lifespan=startup.lifespan, middleware=layers)
else:  # run as a script, as Streamlit's own test harness does
    runpy.run_path(str(Path(__file__).with_name(NAVIGATION)), run_name="__main__")
