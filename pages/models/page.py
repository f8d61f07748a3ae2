"""The Models page: what was registered, which version counts, and what it says of new rows."""

import streamlit as st

from core import jobs, models
from pages._ui import frame
from pages.models import listing, register, scored, single

workspace = frame.workspace()
asked = st.query_params

if "run" in asked:
    scored.show(jobs.get(asked["run"], workspace=workspace))
elif "register" in asked:
    register.show(asked["register"])
elif "model" in asked:
    single.show(models.get(asked["model"], workspace=workspace))
else:
    frame.head("Models", "Keep the models that are worth it: numbered versions, which one counts, and why.")
    listing.show(models.find(workspace=workspace))
