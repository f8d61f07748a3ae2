"""Plumbline's server. Start it with ``streamlit run app.py``; every visit runs ``navigation.py``."""

import streamlit as st
from starlette.middleware import Middleware

from web import startup
from web.request_guard import RequestGuard

startup.check()
app = st.App("navigation.py", lifespan=startup.lifespan, middleware=[Middleware(RequestGuard)])
