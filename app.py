"""Plumbline's server. Start it with ``streamlit run app.py``; every visit runs ``navigation.py``."""

import runpy
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.scriptrunner import get_script_run_ctx

from web import startup
from web.endpoints import ROUTES
from web.layers import LAYERS

NAVIGATION = "navigation.py"

if get_script_run_ctx(suppress_warning=True) is None:
    startup.check()
    middleware = [Middleware(layer) for layer in LAYERS]
    app = st.App(NAVIGATION, lifespan=startup.lifespan, routes=ROUTES, middleware=middleware)
else:  # run as a script, as Streamlit's own test harness does
    runpy.run_path(str(Path(__file__).with_name(NAVIGATION)), run_name="__main__")
